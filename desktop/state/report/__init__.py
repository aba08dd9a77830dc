"""The report of the open study, from draft to signature."""
