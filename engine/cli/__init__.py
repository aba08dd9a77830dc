"""The command line `kindred`: commands, and their output as text or JSON."""
