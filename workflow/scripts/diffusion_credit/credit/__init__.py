"""Utilities to credited contributors: estimators, their statistics, the table of values.

In: a table of subsets with their measured values. Out: one value with its intervals for each contributor.
Imports `base` and `subsets`.
"""
