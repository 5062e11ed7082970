"""What is wrong with a set of pictures: one file per family of findings."""
