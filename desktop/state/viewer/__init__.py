"""What the viewports show, and the mouse tools."""
