"""Feature extractors. To add one: a module here with

- `Options`, its pydantic model (with `kind`);
- `fit(options, pixels, owner, classes, seed, folder)`, which makes or fetches what it needs into `folder`, announced
  by a manifest, and returns metrics;
- `load(options, folder)`, a function from uint8 images to named arrays: `features` and, for some properties,
  `probabilities`;

and its name below.
"""

EXTRACTORS = ("classifier",)
