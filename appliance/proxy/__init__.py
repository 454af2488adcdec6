"""The proxy role: the hosted queue that agents in proxy mode pull."""
