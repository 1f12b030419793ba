"""Estimators: from utilities to one attribution per contributor. To add one: a module here with

- `Options`, its pydantic model (an EstimatorSection with `kind`, its name);
- `DESIGNS`, the designs that give it the subsets which it needs, or None when any will do;
- `estimate(game, options)`, an `Estimate` of a `Utilities` table; UserError when the table lacks what it needs;

and its name below, also in ANY_NUMBER when it holds no matrix of contributors by contributors; the module is named
after it with _ for -.
"""

ESTIMATORS = (
    "ridge",
    "paper",
    "exact",
    "banzhaf",
    "beta-shapley",
    "leave-one-out",
    "add-one-in",
    "datamodel",
    "surrogate",
    "permutation",
    "owen",
)

ANY_NUMBER = ("datamodel",)
