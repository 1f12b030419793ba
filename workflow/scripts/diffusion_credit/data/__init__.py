"""Raw files to an index of images with their contributors, and to pixels.

In: folders, tables and archives that contributors hand in. Out: one row an image, one memory-mapped array.
Imports `base`.
"""
