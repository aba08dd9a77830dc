"""From stored pixels to what the screen, the models and the archive see."""
