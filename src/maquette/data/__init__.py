"""From files to batches: sources of pictures, preparing them, the dataset folder, batches."""
