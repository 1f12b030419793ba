"""Which training images made one generated image, and how well that predicts models without them.

In: scores of training images, losses of retrained models. Out: the most influential images, LDS, regenerations.
Imports `base` to `baselines`.
"""
