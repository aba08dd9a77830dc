"""The PACS that the user added, and the priors that they have of the patient on screen."""
