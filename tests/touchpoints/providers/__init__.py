"""Tests of `touchpoints/providers/`: a file for each family of senders."""
