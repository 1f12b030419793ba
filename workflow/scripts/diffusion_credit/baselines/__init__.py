"""Baselines: credit without utilities, from training images and the full model alone. To add one: a module here with

- `Options`, its pydantic model (a BaselineSection with `kind`), which says what it is made from;
- `variants(options, sources, owner, contributors)`, the values (contributors,) of each way to compute it, and for each
  numbers to report, by name. sources: name -> what `Options.sources` asked for. owner: (images,) of the
  training images;

and its name below.
"""

BASELINES = ("similarity", "own_score", "gradients")
