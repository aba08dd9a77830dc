"""MPR: planes of a volume in the viewports, slabs, oblique planes."""
