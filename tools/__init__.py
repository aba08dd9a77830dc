"""Small programs for developers, started by `./do`: the map of the tree and the list of visible strings."""
