"""Commands of an archive that a department shares."""
