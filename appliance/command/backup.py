"""`hookport backup` and `hookport restore`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click

from appliance.command import flags
from appliance.command.client import talk
from appliance.command.secret import read_secret_here
from appliance.command.terminal import show, show_json, show_table, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem


@click.command()
@click.option("--list", "only_list", is_flag=True, help="Only name the backups that are kept.")
@flags.as_json
@flags.data_dir
def backup(folder: DataFolder, only_list: bool, as_json: bool) -> None:
    """Make a backup now, while the agent runs or not, and try that it can be put back.

    It holds the configuration, all that is not settled, and the dedup memory; what else, and where, says [backup].

    \b
    Example:
      hookport backup
    """
    if only_list:
        found = talk(folder, lambda agent: agent.ask("GET", "/backups"))
        if as_json:
            show_json(found)
        else:
            rows = [(one["made_at"], one["bytes"], one["file"]) for one in found["backups"]]
            show_table(("MADE", "BYTES", "FILE"), rows)
        return
    tell("Making a backup, and trying it…")
    made = talk(folder, lambda agent: agent.ask("POST", "/backups"))
    if as_json:
        show_json(made)
        return
    show(made["file"])
    tell(f"{made['waiting']} waiting, {made['bodies']} whole events, {made['claims']} dedup keys. Tried: it can be put back.")
    if not made["with_key"]:
        tell(f"The key is not in it: keep a copy of {folder.key} elsewhere, or set [backup] passphrase.")


@click.command()
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The old secret.key.")
@click.option("--passphrase", metavar="-|env:NAME|file:PATH", help="What opens the key in the backup.")
@flags.as_json
@flags.data_dir
def restore(folder: DataFolder, archive: Path, key_file: Path | None, passphrase: str | None, as_json: bool) -> None:
    """Put a backup back into the data folder of a stopped agent, or into a new one.

    What stands there is moved aside, never deleted. What waited when the backup was made is held: it may have been delivered
    since, so a person looks at it and releases it.

    \b
    Example:
      hookport restore hookport-20261124T023000Z.backup --passphrase -
    """
    from appliance.backup.restore import Wanted

    wanted = Wanted(archive=archive, key_file=key_file, passphrase=_read(passphrase) if passphrase else "")
    done = asyncio.run(_restore(folder, wanted))
    if as_json:
        show_json(done)
        return
    show(f"Put back as of {done['made_at']}: {done['waiting']} that waited are held, {done['claims']} dedup keys.")
    for name in done["aside"]:
        tell(f"Moved aside: {folder.path / name}")
    tell("Start Hookport, look at what is held, then release or dismiss it: hookport events list --state held")


async def _restore(folder: DataFolder, wanted: Any) -> dict[str, Any]:
    from tqdm import tqdm

    from appliance.backup.restore import restore as put_back
    from appliance.clock import Clock
    from store.sqlite.backup import SqliteBackupFiles
    from touchpoints.moment import rfc3339

    with tqdm(unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def told(n: int) -> None:
            bar.update(n)

        done = await put_back(folder, wanted, files=SqliteBackupFiles(), environment=os.environ, clock=Clock(), told=told)
    manifest = done.manifest
    return {
        "made_at": rfc3339(manifest.made_at),
        "version": manifest.version,
        "waiting": manifest.counted.waiting,
        "bodies": manifest.counted.bodies,
        "claims": manifest.counted.claims,
        "aside": list(done.aside),
    }


def _read(given: str) -> str:
    """A passphrase from standard input, a variable or a file; never an argument, which others can see."""
    kind, _, place = given.partition(":")
    if given == "-":
        return read_secret_here("Passphrase")
    if kind == "env" and place:
        if not (found := os.environ.get(place)):
            raise ProblemError(problem("backup_passphrase_missing", place=f"the variable {place}"))
        return found
    if kind == "file" and place:
        try:
            return Path(place).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            raise ProblemError(problem("backup_passphrase_missing", place=place)) from None
    raise click.UsageError("A passphrase is never an argument: give --passphrase -, env:NAME or file:PATH.")
