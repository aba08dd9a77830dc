"""How pixel data are coded: their attributes, their true form, and the decoders of one frame."""
