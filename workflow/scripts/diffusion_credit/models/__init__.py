"""Networks, their pruning, their training on subsets, and the images that they generate.

In: pixels, subsets, pretrained weights. Out: checkpoints, and folders of generated images.
Imports `base`, `data` and `subsets`.
"""
