"""Feature extractors. To add one: a module here with `Options` and `load(options, folder)`, and its name below."""

EXTRACTORS = ("classifier",)
