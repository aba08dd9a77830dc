"""Templates of reports: their values, MRRT files, a plain notation, the library of shipped and own ones."""
