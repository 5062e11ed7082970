"""Tensors to tensors: no losses, no files."""
