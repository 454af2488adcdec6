"""The program's own log: readable in a terminal, JSON in a rotating file; a known secret never gets through."""

import logging
import logging.handlers
import sys
from collections.abc import Callable
from typing import Any

import orjson
import structlog

from appliance.data_folder import DataFolder
from store.redaction import Redaction, secrets_of
from store.server_settings import ServerConfiguration
from store.settings import Configuration

FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5


class Redactor:
    """Blots the secrets of the moment out of finished lines."""

    def __init__(self) -> None:
        self._clean = Redaction()

    def follow(self, configuration: Configuration | ServerConfiguration) -> None:
        """Blot out this configuration's secrets from now on."""
        self._clean = Redaction.of(form for secret in secrets_of(configuration) for form in _forms(secret))

    def clean(self, line: str) -> str:
        """The line without any known secret."""
        return self._clean(line)


class _CleanFormatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, redactor: Redactor, renderer: Callable[..., Any]) -> None:
        processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        super().__init__(processors=processors, foreign_pre_chain=_shared())
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.clean(super().format(record))


def set_up_logs(folder: DataFolder | None, redactor: Redactor, *, terminal: bool = True) -> None:
    """Send everything to stderr and, with a folder, to its rotating file. Called once, before the first line."""
    handlers: list[logging.Handler] = []
    if terminal:
        shown = logging.StreamHandler(sys.stderr)
        shown.setFormatter(_CleanFormatter(redactor, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())))
        handlers.append(shown)
    if folder is not None:
        written = logging.handlers.RotatingFileHandler(
            folder.logs / "hookport.log", maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", delay=True
        )
        written.setFormatter(_CleanFormatter(redactor, structlog.processors.JSONRenderer(serializer=_to_json)))
        handlers.append(written)
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    # A disk that is full must not print a traceback for every line that could not be written.
    logging.raiseExceptions = False
    for chatty in ("uvicorn", "uvicorn.error", "httpx", "aiosqlite", "apscheduler"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _forms(secret: str) -> set[str]:
    """A secret as it is, as JSON writes it, and as Python shows it in a terminal or a traceback."""
    return {secret, orjson.dumps(secret.encode("utf-8", "replace").decode()).decode()[1:-1], repr(secret)[1:-1]}


def _shared() -> list[Any]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _to_json(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()
