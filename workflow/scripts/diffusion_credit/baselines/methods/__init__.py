"""Baselines: credit without utilities, from training images and the full model alone. To add one: a module here with

- `Options`, its pydantic model (a BaselineSection with `kind`), which says what it is made from;
- `matrix(options, sources, sets)`, candidates for the scores of all training images for those of each set: a name, for
  each set the parts of its matrix (some of the set, training images), and what to report. sources: name -> what
  `Options.sources` asked for;
- or, where a score is of the training image alone, `own(options, sources)`, (images,);

and its name below.
"""

BASELINES = ("similarity", "own_score", "gradients")
