"""Captured secrets: what a sender set itself while its touchpoint had no secret, and a person has not looked at yet."""

from dataclasses import dataclass

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """When a touchpoint's secret came, and from where. Whoever knew the endpoint URL could have sent it."""

    touchpoint: int  # its id
    at: Micros
    remote: str  # the sender's address
    fingerprint: str  # the secret's, as the configuration shows it
