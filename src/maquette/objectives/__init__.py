"""What networks are trained towards: losses, penalties and augmentations, tensors to tensors."""
