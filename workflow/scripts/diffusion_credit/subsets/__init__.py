"""Lists of subsets of contributors: sampled designs, held-out subsets, groups.

In: names and numbers of contributors, a seed. Out: 0/1 rows, each with its replicate and training seed.
Imports `base`.
"""
