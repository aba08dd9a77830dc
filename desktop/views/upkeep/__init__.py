"""Views of the Archive and Model screens."""
