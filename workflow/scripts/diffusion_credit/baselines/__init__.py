"""Baselines: credit without utilities, from training images and the full model alone. To add one: a module here with

- `Options`, its pydantic model (a BaselineSection with `kind`), which says what it is made from;
- `matrix(options, sources, queries)`, candidates for the scores of all training images for those of the set `queries`,
  each with a name, its parts (some queries, training images), and what to report. sources: name -> what
  `Options.sources` asked for;
- or, where a score is of the training image alone, `own(options, sources)`, (images,);

and its name below.
"""

BASELINES = ("similarity", "own_score", "gradients")
