"""The label of every report that is exported or copied. Knows nothing else."""

NOTICE = "research draft, not for clinical use"
