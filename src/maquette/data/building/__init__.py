"""Writing a dataset folder: parallel, resumable, and the same bytes every time."""
