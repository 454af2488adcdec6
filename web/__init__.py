"""HTTP in: the public listener, the local JSON API and its guards. Sees the store's interfaces, never SQLite."""
