"""Data sources. To add one: a module here with

- `Options`, its pydantic model (with `source`);
- `read(options) -> Images`;
- `fingerprint(options)`, a text that changes when the raw files do;

and its name below.
"""

SOURCES = ("digits", "image_folder", "image_table", "cifar", "celeba_hq")
