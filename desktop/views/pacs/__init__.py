"""The dialogs of PACS: their addresses, and the priors of a patient."""
