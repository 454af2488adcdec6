"""The JSON API under /api/v1, on the local port."""
