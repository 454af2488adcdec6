"""The process: command line, clock, wiring, and when each hop runs."""

VERSION = "0.1.0"
