"""Properties: numbers that describe a whole model, computed on features of its generated images.

To add one: a module here with
- `Options`, its pydantic model (with `kind` and `extractor`);
- `HIGHER_IS_BETTER`, which way is up, so that the best contributor is the first;
- `REFERENCE`, whose features it is compared with: "data", "full" (the full model's images) or None;
- `fit(features, options, seed)`, arrays made once from the reference (absent without one);
- `evaluate(features, options, reference)`, the number;
and its name below.
"""

PROPERTIES = ("inception_score", "fid", "cluster_entropy")
