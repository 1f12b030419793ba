"""Credit without utilities: similarities and gradients of single images.

In: features, models, training and generated images. Out: scores of images, summed up for each contributor.
Imports `base`, `data`, `models`, `measuring`, `credit` and `evaluation`.
"""
