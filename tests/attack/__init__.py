"""Attacks on what stands open, tried by machines: described calls, mangled bytes, planted secrets."""
