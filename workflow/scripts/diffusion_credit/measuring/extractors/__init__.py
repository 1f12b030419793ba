"""Feature extractors. To add one: a module here with

- `Options`, its pydantic model (an ExtractorSection with `kind`), which says what arrays it gives;
- `load(options, folder, weights, device)`, a function from uint8 images (images, height, width, channels) to named
  arrays. folder: what `fit` made, or None. weights: manifest of each of the study's `weights` that it uses;
- where something is fitted to the study's images, `fit(options, pixels, owner, classes, seed, folder)`, which makes it
  in `folder`, announced by a manifest, and returns metrics;
- where packages beyond the default installation decide the result, `PACKAGES`: package -> extra that brings it;

and its name below.
"""

EXTRACTORS = ("classifier", "efficientnet_lite0", "inception", "clip", "blip")
