"""The pull protocol: what agent and proxy say to each other, as values, bytes and proofs. Pure; version 1."""
