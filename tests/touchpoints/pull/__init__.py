"""Tests of `touchpoints.verifiers`."""
