"""Tests of `touchpoints.handshakes`."""
