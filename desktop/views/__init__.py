"""The widgets: they show states and pass gestures on to them. They contain no logic."""
