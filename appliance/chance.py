"""Chance: the only place that draws random numbers."""

import random
import secrets

_system = random.SystemRandom()


def jitter() -> float:
    """A number from -1 to 1, to spread retries."""
    return _system.uniform(-1.0, 1.0)


def new_token() -> str:
    """A token of 256 bits for a bearer."""
    return secrets.token_urlsafe(32)
