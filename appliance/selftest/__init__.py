"""The self-test: this very program, from its files to a delivered event, on loopback and in a folder of its own."""
