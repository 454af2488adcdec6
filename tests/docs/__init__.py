"""The documents: their generated parts, and the reading of what is in them."""
