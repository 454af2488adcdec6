"""What only someone on the machine itself may set: files that are read there, and folders that are written to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from store.configuration import Actor, Change
from store.folder_guard import folder_owner
from touchpoints.definition_setting import join
from touchpoints.problem import Problem, problem
from touchpoints.touchpoint import FolderDestination, Touchpoint

_OF_MACHINE = re.compile(
    r"(agent|page|server)\.tls_(certificate|key|client_ca)|alerts\.smtp_ca|backup\.folder|touchpoint\.[^.]+\.destination\.[^.]+\.(ca|path|link_local)"
)

_FOLDER = re.compile(r"touchpoint\.[^.]+\.destination\.[^.]+\.path")


def missing_rights(changes: tuple[Change, ...], actor: Actor) -> Iterator[Problem]:
    """A problem for each change that needs the right `machine` and comes without it; taking something away needs none.

    A folder may also be named by a person who typed the password again.
    """
    for change in changes:
        if actor.machine or change.what == "removed" or not _OF_MACHINE.fullmatch(change.path):
            continue
        if not (actor.folders and _FOLDER.fullmatch(change.path)):
            yield problem("needs_machine", path=change.path)


def refused_folders(touchpoints: Sequence[Touchpoint], data_folder: Path, environment: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for each folder destination that must never be written to, whoever asks."""
    for touchpoint in touchpoints:
        for destination in touchpoint.destinations:
            if isinstance(destination, FolderDestination) and destination.path:
                owner = folder_owner(Path(destination.path), data_folder=data_folder, environment=environment)
                if owner is not None:
                    where = join(join("touchpoint", touchpoint.name), f"destination.{destination.name}.path")
                    yield problem("folder_refused", path=where, owner=owner)
