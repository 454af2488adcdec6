"""The ways to prove a sender, one scheme a file; `touchpoints.verification` is their registry."""
