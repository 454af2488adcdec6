"""The durable places on SQLite. The only folder that knows SQL."""
