"""How elements, text and pixel data are coded: character sets, true form of pixel data, decoders of one frame."""
