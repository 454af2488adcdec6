"""The vitals: what stands around every screen, read without asking the disk."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How the process fares, for the header and the footer."""

    version: str = "0"
    direct: str = "off"  # off | up | down
    direct_url: str = ""  # the host public URL as configured
    direct_error: str = ""  # in words, while down
    stored_bytes: int = 0  # both database files
    migrating: bool = False  # whether an older file of events is being brought up to date
