"""The training loop with its settings, losses and batches."""
