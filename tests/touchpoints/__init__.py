"""Tests of `touchpoints`."""
