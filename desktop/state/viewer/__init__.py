"""What the viewports show, and the tools of the mouse."""
