"""Kinds of handshakes, a file for each family; `touchpoints.handshake` is their registry."""
