"""Facts of a query or a case: modality, region, laterality, view, contrast; from header, words or models."""
