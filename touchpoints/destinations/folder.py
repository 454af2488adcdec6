"""The folder destination: each event a file, which whoever watches the folder never sees half written."""

import asyncio
import errno
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Job
from touchpoints.destinations.in_place import put_in_place, sync_folder
from touchpoints.destinations.passed_headers import passed_on
from touchpoints.destinations.sender import Parcel
from touchpoints.handles import no_handle_left
from touchpoints.moment import rfc3339
from touchpoints.problem import problem
from touchpoints.touchpoint import FolderDestination

_FULL = {"ENOSPC", "EDQUOT", "EFBIG"}
_MISSING = {"ENOENT", "ENOTDIR"}
_DENIED = {"EACCES", "EPERM", "EROFS"}


class FolderSender:
    """One folder, opened. It has threads of its own: a folder on a hung network disk delays no other destination."""

    def __init__(self, destination: FolderDestination) -> None:
        """Raises ValueError when the path is not absolute."""
        self._folder = Path(destination.path)
        if not self._folder.is_absolute():
            raise ValueError("its `path` is not absolute")
        self._metadata = destination.metadata
        self._threads = ThreadPoolExecutor(max_workers=destination.concurrency, thread_name_prefix="folder")

    async def attempt(self, job: Job, *, touchpoint: str) -> Outcome:
        """Write the event's file, after its metadata; a repeat writes the same names again."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._write, job, touchpoint)
        except OSError as error:
            return self._failed(error)
        return Delivered()

    def preview(self, job: Job, *, touchpoint: str) -> Parcel:  # noqa: ARG002 - the interface's name, not needed here
        """The file that `attempt` would write; `headers` are what the metadata would hold."""
        return Parcel(
            target=str(self._folder / _file_name(job)),
            method="",
            headers=tuple(passed_on(job.event.headers)) if self._metadata else (),
            body=job.body,
        )

    async def aclose(self) -> None:
        """End the threads; a write under way goes on to its end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _write(self, job: Job, touchpoint: str) -> None:
        if self._metadata:
            _put_file(self._folder / f"{_stem(job)}.meta.json", _metadata(job, touchpoint))
        _put_file(self._folder / _file_name(job), job.body)
        sync_folder(self._folder)

    def _failed(self, error: OSError) -> Failed:
        code = _code(error)
        detail = error.strerror or type(error).__name__
        return Failed(blame=Blame.DESTINATION, code=code, error=problem(code, where=self._folder, detail=detail).text)


def _put_file(path: Path, content: bytes) -> None:
    """Write aside under a name that a crash leaves behind at most once, then rename: the name appears with all its bytes."""
    aside = path.with_name(f".{path.name}.tmp")
    aside.unlink(missing_ok=True)
    try:
        with aside.open("xb") as file:  # never through a link that somebody else put there
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(aside, path)
    except OSError:
        _remove(aside)
        raise


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # the next attempt tries again


def _code(error: OSError) -> str:
    if no_handle_left(error):
        return "no_handles"
    name = errno.errorcode.get(error.errno or 0, "")
    if name in _FULL:
        return "folder_full"
    if name in _MISSING:
        return "folder_missing"
    return "folder_denied" if name in _DENIED else "folder_error"


def _stem(job: Job) -> str:
    """The delivery's id; one that came from elsewhere and is no plain name cannot leave the folder."""
    return re.sub(r"[^A-Za-z0-9-]", "_", job.delivery.id)


def _file_name(job: Job) -> str:
    content_type = next((value for name, value in job.event.headers if name.lower() == b"content-type"), b"")
    return f"{_stem(job)}.{_extension(content_type.split(b';')[0].strip().lower().decode('latin-1'))}"


def _extension(media_type: str) -> str:
    for ending in ("json", "xml", "csv"):
        if re.search(rf"[/+.-]{ending}$", media_type):
            return ending
    return "txt" if media_type.startswith("text/") or media_type == "application/x-www-form-urlencoded" else "bin"


def _metadata(job: Job, touchpoint: str) -> bytes:
    event, delivery = job.event, job.delivery
    facts = {
        "delivery": delivery.id,
        "event": event.id,
        "touchpoint": touchpoint,
        "event_type": event.event_type,
        "reference": event.reference,
        "received_at": rfc3339(event.received_at),
        "attempt": delivery.attempts + 1,
        "test": event.test,
        "method": event.method,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in passed_on(event.headers)],
        "body_bytes": event.body_bytes,
        "body_sha256": event.body_hash.hex(),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
