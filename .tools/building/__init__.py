"""What build.py does: the environment, the locks, the checks, the tests."""
