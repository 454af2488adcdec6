"""Senders: requests signed as providers do."""

import hashlib
import hmac

GITHUB_SECRET = "It's a Secret to Everybody"


def github(body: bytes, delivery: str, event: str = "push", secret: str = GITHUB_SECRET) -> dict[str, str]:
    """The headers GitHub would send."""
    proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": f"sha256={proof}",
    }


def touchpoint(name: str, destination: str, more: str = "", destination_more: str = "") -> str:
    """A GitHub touchpoint with one HTTP destination, as TOML."""
    return (
        f'[[touchpoint]]\nname = "{name}"\nprovider = "github"\nsecrets = ["{GITHUB_SECRET}"]\n{more}\n'
        f'[[touchpoint.destination]]\nname = "erp"\nkind = "http"\nurl = "{destination}"\n{destination_more}\n'
    )
