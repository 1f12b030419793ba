"""Files, tables, seeds, code digests, plug-ins, lean imports and errors: what every other room stands on.

In: paths and plain values. Out: files that are complete or absent, named seeds, one-sentence errors.
Imports nothing else of this library.
"""
