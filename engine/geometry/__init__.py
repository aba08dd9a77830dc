"""Where frames lie in the patient, and how long a pixel is."""
