"""The PySide6 application. Knows the engine; never torch."""
