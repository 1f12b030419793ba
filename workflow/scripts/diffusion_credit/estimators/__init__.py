"""Estimators: from utilities to one attribution per contributor.

To add one: a module here with `estimate(members, values, everyone, empty, options)`, and its name below.
"""

ESTIMATORS = ("paper",)
