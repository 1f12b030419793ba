"""Generated images to features, and features to the value of a property.

In: folders of images. Out: arrays of features, one number for each property and model.
Imports `base`, `data` and `models`.
"""
