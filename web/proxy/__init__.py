"""HTTP in at a hosted proxy: senders post to endpoint URLs, agents pull over /v1."""
