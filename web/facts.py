"""The facts: where and by what the process runs, for the settings and for support."""

from dataclasses import dataclass

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What changes seldom."""

    folder: str = ""  # the data folder
    machine: str = ""  # what the machine is called
    system: str = ""  # the operating system, in words
    python: str = ""
    sqlite: str = ""
    free_bytes: int | None = None  # on the data folder's disk
    listener_certificate_ends: Micros | None = None
    page_certificate_ends: Micros | None = None
