"""The hops: drain moves inbox to outbox, deliver moves outbox to destinations."""
