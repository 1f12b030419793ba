"""Data sources. To add one: a module here with `Options` and `read(options) -> Images`, and its name below."""

SOURCES = ("digits", "image_folder")
