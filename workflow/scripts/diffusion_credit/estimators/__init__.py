"""Estimators: from utilities to one attribution per contributor. To add one: a module here with

- `Options`, its pydantic model (with `kind`);
- `estimate(members, values, everyone, empty, options)`, the values (n,);

and its name below.
"""

ESTIMATORS = ("paper",)
