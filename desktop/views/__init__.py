"""The widgets: they show a state and hand gestures on. They hold no logic of their own."""
