"""The vocabulary every other layer speaks: images, the family contract, settings, devices."""
