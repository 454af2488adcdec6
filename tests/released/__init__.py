"""Frozen data folders of each released schema: made once by the program of that day, opened by every program after it."""
