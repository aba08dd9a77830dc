"""How text and pixel data are coded: character sets, the true form of pixel data, and the decoders of one frame."""
