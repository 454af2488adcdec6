"""The long checks: what takes minutes, and is too long for each run of the tests."""
