"""Training data of the caption decoder, and scores of its captions."""
