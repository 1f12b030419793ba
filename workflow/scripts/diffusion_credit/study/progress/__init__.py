"""How far a study is, what of it is out of date, and how long the rest takes.

In: a study, its results, a dry run of Snakemake. Out: lines for people.
"""
