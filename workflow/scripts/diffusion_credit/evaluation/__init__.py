"""How good values are: LDS, fidelity, counterfactuals, the budget, the league of all methods.

In: values, and properties of retrained models. Out: scores with their intervals.
Imports `base`, `subsets` and `credit`.
"""
