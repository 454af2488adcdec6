"""What `hookport run` was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of `hookport run`, as given."""

    data_dir: Path | None = None  # None: HOOKPORT_DATA_DIR, else the system's place
    admin: str = "127.0.0.1:8421"  # HOST:PORT of the page and its API
    config: Path | None = None  # a configuration file to apply when it changed
    no_browser: bool = False
