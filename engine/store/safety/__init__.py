"""What keeps files whole and finds damage: writing in one step, first opening, checksums. Knows no models."""
