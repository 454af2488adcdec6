"""`hookport proxy org`: the organisations of a hosted proxy, their pairing codes and agents."""

import sys
from pathlib import Path

import click

from appliance.command import flags
from appliance.command.aside import written_aside
from appliance.command.client import Agent, Json, segment, talk
from appliance.command.terminal import moment, show, show_json, show_table, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem
from touchpoints.size import parse_size
from web.page import figures

DEFAULT = "default"


def _count(_context: click.Context, _parameter: click.Parameter, given: str | None) -> int | str | None:
    if given is None or given == DEFAULT:
        return given
    if not (given.isascii() and given.isdigit() and len(given) <= 12):
        raise click.BadParameter(f"{given[:40]!r} is neither a whole number nor `{DEFAULT}`")
    return int(given)


def _size(_context: click.Context, _parameter: click.Parameter, given: str | None) -> int | str | None:
    if given is None or given == DEFAULT:
        return given
    try:
        return parse_size(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


quota_events = click.option(
    "--quota-events", callback=_count, metavar="N", help="How many events may wait for it; default: the proxy's."
)
quota_bytes = click.option(
    "--quota-bytes", callback=_size, metavar="SIZE", help="Room for them, such as 2GiB; default: the proxy's."
)
name_argument = click.argument("name")


@click.group()
def org() -> None:
    """Add organisations, make pairing codes, revoke agents.

    \b
    Example:
      hookport proxy org add acme
    """


@org.command("list")
@flags.as_json
@flags.data_dir
def list_(folder: DataFolder, as_json: bool) -> None:
    """List organisations with what waits for them.

    \b
    Example:
      hookport proxy org list --json
    """
    found = talk(folder, _all)
    if as_json:
        show_json({"organisations": found})
        return
    rows = [
        (one["name"], one["state"], one["events"], figures.size(one["bytes"]), f"{one['used']:.0%}", len(_living(one)))
        for one in found
    ]
    show_table(("NAME", "STATE", "WAITING", "SIZE", "QUOTA", "AGENTS"), rows)


async def _all(agent: Agent) -> list[Json]:
    found: list[Json] = []
    after: str | None = ""
    while after is not None:
        page = await agent.ask("GET", "/organisations", params={"after": after, "limit": 500})
        found += page["organisations"]
        after = page["next_after"]
    return found


def _living(one: Json) -> list[Json]:
    return [agent for agent in one["agents"] if agent["state"] != "revoked"]


@org.command()
@name_argument
@quota_events
@quota_bytes
@flags.as_json
@flags.data_dir
def add(folder: DataFolder, name: str, quota_events: int | str | None, quota_bytes: int | str | None, as_json: bool) -> None:
    """Add an organisation and print its first pairing code.

    NAME is its proxy domain: 3 to 63 small letters, digits and dashes. The code works once, for ten minutes.

    \b
    Example:
      hookport proxy org add acme --quota-bytes 2GiB
    """
    wanted = {"name": name, "quota_events": _own(quota_events), "quota_bytes": _own(quota_bytes)}
    made = talk(folder, lambda agent: agent.ask("POST", "/organisations", json=wanted), may_begin=True, proxy=True)
    _show_code(made, f"Added {name}.", as_json=as_json)


@org.command()
@name_argument
@click.option("--replace", metavar="AGENT", default="", help="The agent whose place the new one takes; its key dies then.")
@flags.as_json
@flags.data_dir
def code(folder: DataFolder, name: str, replace: str, as_json: bool) -> None:
    """Print another pairing code, for a further agent or in the place of a lost one.

    \b
    Example:
      hookport proxy org code acme --replace front-desk
    """
    path = f"/organisations/{segment(name)}/codes"
    made = talk(folder, lambda agent: agent.ask("POST", path, json={"replaces": replace}))
    _show_code(made, f"A code for {name}.", as_json=as_json)


def _show_code(made: Json, words: str, *, as_json: bool) -> None:
    if as_json:
        show_json(made)
        return
    tell(f"{words} It works once, until {moment(made['expires_at'])}:")
    show(made["code"])


@org.command()
@name_argument
@flags.as_json
@flags.data_dir
def agents(folder: DataFolder, name: str, as_json: bool) -> None:
    """List an organisation's agents.

    \b
    Example:
      hookport proxy org agents acme
    """
    found = talk(folder, lambda agent: agent.ask("GET", f"/organisations/{segment(name)}/agents"))
    if as_json:
        show_json(found)
        return
    rows = [
        (one["name"], _state(one), moment(one["last_seen_at"]), one["unsettled"], one["version"], one["fingerprint"])
        for one in found["agents"]
    ]
    show_table(("NAME", "STATE", "LAST HEARD", "UNSETTLED", "VERSION", "FINGERPRINT"), rows)


def _state(agent: Json) -> str:
    if agent["state"] != "ready":
        return str(agent["state"])
    if not agent["connected"]:
        return "not reachable"
    return "pulls" if agent["holds_lease"] else "stands by"


@org.command()
@name_argument
@click.argument("agent")
@flags.as_json
@flags.data_dir
def revoke(folder: DataFolder, name: str, agent: str, as_json: bool) -> None:
    """Revoke an agent, by name or id: its key opens nothing from now on.

    \b
    Example:
      hookport proxy org revoke acme front-desk
    """
    gone = talk(folder, lambda api: api.ask("DELETE", f"/organisations/{segment(name)}/agents/{segment(agent)}"))
    if as_json:
        show_json(gone)
    else:
        tell(f"Revoked {gone['revoked']}.")


@org.command("take-over")
@name_argument
@click.argument("agent")
@flags.as_json
@flags.data_dir
def take_over(folder: DataFolder, name: str, agent: str, as_json: bool) -> None:
    """Queue again what an agent took and did not settle, for another one.

    What that agent ran already may run twice.

    \b
    Example:
      hookport proxy org take-over acme front-desk
    """
    path = f"/organisations/{segment(name)}/agents/{segment(agent)}/take-over"
    done = talk(folder, lambda api: api.ask("POST", path))
    if as_json:
        show_json(done)
    else:
        tell(f"{done['events']} event{'' if done['events'] == 1 else 's'} queued again.")


@org.command()
@name_argument
@quota_events
@quota_bytes
@flags.as_json
@flags.data_dir
def quota(folder: DataFolder, name: str, quota_events: int | str | None, quota_bytes: int | str | None, as_json: bool) -> None:
    """Show an organisation's quota, or set it; `default` gives it back to the proxy's.

    \b
    Example:
      hookport proxy org quota acme --quota-events 50000 --quota-bytes default
    """
    given = {"quota_events": quota_events, "quota_bytes": quota_bytes}
    wanted = {key: _own(value) for key, value in given.items() if value is not None}
    path = f"/organisations/{segment(name)}"

    async def conversation(agent: Agent) -> Json:
        return await agent.ask("PATCH", path, json=wanted) if wanted else await agent.ask("GET", path)

    found = talk(folder, conversation)
    if as_json:
        show_json(found)
    else:
        show(f"{found['events']} of {found['quota_events']} events, {found['bytes']} of {found['quota_bytes']} bytes")


def _own(value: int | str | None) -> int | None:
    return value if isinstance(value, int) else None


@org.command()
@name_argument
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", required=True, help="The file.")
@flags.data_dir
def export(folder: DataFolder, name: str, output: Path) -> None:
    """Write everything of an organisation as JSON Lines; its events stay sealed.

    \b
    Example:
      hookport proxy org export acme --output acme.jsonl
    """
    target = output.absolute()

    async def conversation(agent: Agent) -> int:
        with written_aside(target) as file:
            return await agent.save(f"/organisations/{segment(name)}/export", file)

    tell(f"{talk(folder, conversation)} bytes in {output}.")


@org.command()
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@flags.as_json
@flags.data_dir
def remove(folder: DataFolder, name: str, yes: bool, as_json: bool) -> None:
    """Remove an organisation and erase everything of it, events that wait included.

    Its name cannot be used again for a year. In a terminal it asks first; elsewhere it wants --yes.

    \b
    Example:
      hookport proxy org remove acme --yes
    """
    path = f"/organisations/{segment(name)}"
    found = talk(folder, lambda agent: agent.ask("GET", path))
    if not yes:
        if not sys.stdin.isatty():
            raise ProblemError(problem("remove_not_confirmed", name=name, count=found["events"]))
        question = f"Remove {name}, its {len(_living(found))} agents and {found['events']} events that wait?"
        click.confirm(question, abort=True, err=True)
    gone = talk(folder, lambda agent: agent.ask("DELETE", path, params={"erase": "true"}))
    if as_json:
        show_json(gone)
    else:
        tell(f"Removed {gone['removed']} and {gone['events']} events.")
