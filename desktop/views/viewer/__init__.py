"""The viewports and the windows that belong to them."""
