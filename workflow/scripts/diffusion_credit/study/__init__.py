"""One configured run: its options and their checks, what it makes, and how far it is.

In: a config file. Out: a validated study, its lists of models, its status.
Imports every room but `report`, whose plug-ins define the options.
"""
