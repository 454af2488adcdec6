"""What `hookport run` or `hookport proxy run` was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options, as given."""

    data_dir: Path | None = None  # None: HOOKPORT_DATA_DIR, else the system's place
    admin: str = "127.0.0.1:8421"  # HOST:PORT of the page and its API
    config: Path | None = None  # a configuration file to apply when it changed
    no_browser: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the configuration, that options set
