"""What can be measured on a frame, and what it reads."""
