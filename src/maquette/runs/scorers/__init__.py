"""What a score while training is, for each capability: one file for one capability."""
