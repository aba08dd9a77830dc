"""Image-report pairs from manifests, public data sets and archives."""
