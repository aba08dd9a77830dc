"""The first three steps with Kindred: an archive, a study, similar cases and a draft."""
