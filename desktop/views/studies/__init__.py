"""The study browser and the list of rejected files."""
