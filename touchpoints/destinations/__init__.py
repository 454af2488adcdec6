"""The kinds of destination: one file a kind, and `registry` that names them."""
