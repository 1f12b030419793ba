"""The version of this software, which reports name; the package is built with the same one."""

VERSION = "0.1.0"
