"""Properties: numbers that describe a whole model, computed on features of its generated images.

To add one: a module here with
- `Options`, its pydantic model (a PropertySection with `kind` and `extractor`, and with `reference`, "data" or "full",
  where a model is compared with the features of the data or of the full model's images);
- `fit(features, options, seed)`, arrays made once from the reference (absent without one);
- `evaluate(features, options, reference)`, the number;
- `read(folder)`, where the number is made from an entry's images instead of features;
and its name below.
"""

PROPERTIES = (
    "inception_score",
    "fid",
    "kid",
    "precision_recall",
    "cluster_entropy",
    "mean",
    "percentile",
    "own",
)
