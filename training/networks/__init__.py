"""The towers, the caption decoder, and their checkpoints."""
