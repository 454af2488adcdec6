"""`hookport backup` and `hookport restore`, of an agent and of a proxy."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.command import flags
from appliance.command.client import Agent, Json, talk
from appliance.command.secret import read_secret_here
from appliance.command.terminal import moment, show, show_json, show_table, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem
from web.page import figures

if TYPE_CHECKING:
    from appliance.backup.restore import Wanted


@click.command()
@click.option("--list", "only_list", is_flag=True, help="Only name the backups that are kept.")
@click.option("--looked", is_flag=True, help="Say that you have looked at what a backup that was put back left to look at.")
@flags.as_json
@flags.data_dir
def backup(folder: DataFolder, only_list: bool, looked: bool, as_json: bool) -> None:
    """Make a backup now, while Hookport runs or not, and try that it can be put back.

    It holds the configuration and all that is not settled; an agent's also the dedup memory. What else, and where, says
    [backup].

    \b
    Example:
      hookport backup
    """
    if only_list and looked:
        raise click.UsageError("Give --list or --looked, not both.")
    if only_list or looked:
        found = talk(folder, _looked if looked else _kept)
        if as_json:
            show_json(found)
        else:
            rows = [(moment(one["made_at"]), figures.size(one["bytes"]), one["file"]) for one in found["backups"]]
            show_table(("MADE", "SIZE", "FILE"), rows)
        return
    tell("Making a backup, and trying it…")
    made = talk(folder, lambda agent: agent.ask_long("POST", "/backups"))
    if as_json:
        show_json(made)
        return
    show(made["file"])
    tell(f"{_held(made, proxy=folder.is_proxy)}. Tried: it can be put back.")
    if not made["with_key"]:
        tell(f"The key is not in it: keep a copy of {folder.key} elsewhere, or set [backup] passphrase.")


async def _kept(agent: Agent) -> Json:
    return await agent.ask("GET", "/backups")


async def _looked(agent: Agent) -> Json:
    return await agent.ask("POST", "/backups/looked")


def _held(told: Json, *, proxy: bool) -> str:
    """What is in a backup, in words."""
    if proxy:
        return f"{told['organisations']} organisations, {told['agents']} agents, {told['waiting']} events that wait"
    return f"{told['waiting']} waiting, {told['bodies']} whole events, {told['claims']} dedup keys"


@click.command()
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The old secret.key.")
@click.option("--passphrase", metavar="-|env:NAME|file:PATH", help="What opens the key in the backup.")
@flags.as_json
@flags.data_dir
@click.pass_context
def restore(
    context: click.Context, folder: DataFolder, archive: Path, key_file: Path | None, passphrase: str | None, as_json: bool
) -> None:
    """Put a backup back into the data folder of a stopped Hookport, or into a new one.

    What stands there is moved aside, never deleted. An agent holds what waited when the backup was made: it may have been
    delivered since, so a person looks at it and releases it. A proxy goes on with new numbers, and no code of then is good.

    \b
    Example:
      hookport restore hookport-20261124T023000Z.backup --passphrase -
    """
    from appliance.backup.restore import Wanted
    from appliance.restore_mark import read_mark

    # A folder knows whose it is, also in the midst of an exchange; a new one becomes what the command is of.
    if unfinished := read_mark(folder):
        proxy = unfinished.role == "proxy"
    else:
        proxy = not folder.events.exists() if flags.of_proxy(context) else folder.is_proxy
    wanted = Wanted(archive=archive, key_file=key_file, passphrase=_read(passphrase) if passphrase else "")
    done = asyncio.run(_restore(folder, wanted, proxy=proxy))
    if as_json:
        show_json(done)
        return
    show(f"Put back as of {moment(done['made_at'])}: {_held(done, proxy=proxy)}.")
    for name in done["aside"]:
        tell(f"Moved aside: {folder.path / name}")
    if proxy:
        tell("Start the proxy and look through its organisations: who was revoked or removed since is back. Then:")
        tell("hookport proxy backup --looked")
    else:
        tell("What waited is held. Start Hookport, look at it, then release or dismiss it, and say that you have looked:")
        tell("hookport events list --state held")
        tell("hookport backup --looked")


async def _restore(folder: DataFolder, wanted: "Wanted", *, proxy: bool) -> Json:
    from tqdm import tqdm

    from appliance.backup.of_agent import AgentRestore
    from appliance.backup.of_proxy import ProxyRestore
    from appliance.backup.restore import restore as put_back
    from appliance.clock import Clock
    from touchpoints.moment import rfc3339

    with tqdm(unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def told(n: int) -> None:
            bar.update(n)

        role = ProxyRestore() if proxy else AgentRestore()
        done = await put_back(folder, wanted, role, environment=os.environ, clock=Clock(), told=told)
    manifest = done.manifest
    return {
        "made_at": rfc3339(manifest.made_at),
        "version": manifest.version,
        **{key: value for key, value in manifest.told().items() if key != "with_key"},
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
