"""The command line: arguments in, lines or JSON out."""
