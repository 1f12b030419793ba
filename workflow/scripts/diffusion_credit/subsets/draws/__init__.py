"""Designs: how subsets are drawn, one endless stream of proper subsets each. To add one: a module here with

- `stream(frame)`, which yields rows (n,) of bool;

and its name below, the module named after it with _ for -. A stream knows nothing of how many rows will be taken from
it, so a larger budget begins with the smaller one. Row i is a function of the seed and i. Subsets that are reserved for
evaluation never come. A stream that has run out of different subsets (or, where there are thousands, nearly) starts
again: the same subset once more is a further replicate, with a training seed of its own.
"""

DESIGNS = (
    "paired-stratified",
    "paper",
    "leverage",
    "uniform",
    "datamodel",
    "leave-one-out",
    "add-one-in",
    "permutation",
    "owen",
    "all",
)
