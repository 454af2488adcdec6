"""`hookport events`: list, show, and act on events and deliveries."""

from typing import Any

import click

from appliance.command import flags
from appliance.command.client import Json, segment, talk
from appliance.command.event_view import show_event, show_events
from appliance.command.terminal import show_json, tell
from appliance.data_folder import DataFolder

# Command: the API's action, what it does.
ACTIONS = {
    "replay": ("replay", "Deliver events again, as a new run."),
    "verify": ("verify", "Verify refused events again by today's secrets, and run those that pass."),
    "hold": ("hold", "Let pending deliveries wait until they are released."),
    "release": ("release", "Let held deliveries go on."),
    "retry": ("retry", "Try pending deliveries now instead of when they are due."),
    "give-up": ("give_up", "Stop trying pending and held deliveries; they wait for you."),
    "dismiss": ("dismiss", "Settle given-up and held deliveries, and refused events, without delivery."),
    "run-duplicate": ("run_duplicate", "Run events that were taken for duplicates."),
}


@click.group()
def events() -> None:
    """List and show received webhooks, and act on them.

    \b
    Example:
      hookport events list --reference 1042
    """


@events.command("list")
@flags.filters
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many at most.")
@click.option("--before", type=int, metavar="N", help="Go on: the next_before of the page before.")
@flags.as_json
@flags.data_dir
def list_(folder: DataFolder, limit: int, before: int | None, as_json: bool, **chosen: Any) -> None:
    """List events, newest first.

    \b
    Example:
      hookport events list --touchpoint orders --state given_up --since 36h
    """
    params = flags.given(chosen | {"limit": limit, "before": before})
    found = talk(folder, lambda agent: agent.ask("GET", "/events", params=params))
    if as_json:
        show_json(found)
        return
    show_events(found["events"])
    if found["next_before"] is not None:
        tell(f"There are more: --before {found['next_before']}")


@events.command("show")
@click.argument("id")
@flags.as_json
@flags.data_dir
def show_(folder: DataFolder, id: str, as_json: bool) -> None:  # noqa: A002 - its name in the help
    """Show an event, by its id or a delivery's, with everything that happened to it.

    \b
    Example:
      hookport events show 0680q8k5vj4d1m6n2s7t9w3x5y
    """
    found = talk(folder, lambda agent: agent.ask("GET", f"/events/{segment(id)}"))
    if as_json:
        show_json(found)
    else:
        show_event(found)


def _action(name: str, action: str, what: str) -> click.Command:
    """One command that acts on the events or deliveries named by id or filter."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @flags.filters
    @click.option("--all", "everything", is_flag=True, help="Every event, where neither ids nor a filter are given.")
    @flags.dry_run
    @flags.as_json
    @flags.data_dir
    def act(folder: DataFolder, ids: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool, **chosen: Any) -> None:
        wanted = flags.given(chosen)
        if not everything and not ids and not wanted.keys() - {"tests"}:
            raise click.UsageError(f"Say which events to {name}: ids, a filter such as --state or --touchpoint, or --all.")
        wanted |= {"ids": list(ids), "all": everything, "dry_run": dry_run}
        done = talk(folder, lambda agent: agent.ask_long("POST", f"/events/act/{action}", json=wanted))
        if as_json:
            show_json(done)
        else:
            _show_done(name, done)

    example = f"\b\nExample:\n  hookport events {name} --touchpoint orders --since 2d --dry-run"
    return click.command(name, help=f"{what}\n\n{example}", short_help=what)(act)


def _show_done(name: str, done: Json) -> None:
    would = "would change" if done["dry_run"] else "changed"
    click.echo(f"{name}: {done['matched']} matched, {would} {done['changed']}, {done['skipped']} in another state")
    for one in done["ids"]:
        click.echo(f"  {one}")
    if done["changed"] > len(done["ids"]):
        click.echo("  …")
    if done["more"]:
        tell("There are more: run the same command again.")


for _name, (_api_action, _what) in ACTIONS.items():
    events.add_command(_action(_name, _api_action, _what))
