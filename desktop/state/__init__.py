"""Observable state of the desk: Qt objects without widgets. Knows no view."""
