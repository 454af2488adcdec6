"""Faults of whole programs: quick in the suite, longer by `build.py chaos`."""
