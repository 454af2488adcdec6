"""`hookport version`, `paths` and `check`: what this is, where it keeps things, and whether they can be read."""

import platform
from importlib.resources import files

import click

from appliance import VERSION
from appliance.command import flags
from appliance.command.client import Agent, Json, talk
from appliance.command.terminal import show, show_json, show_table
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem


@click.command()
@click.option("--licences", is_flag=True, help="Print the licences of everything inside an executable.")
@flags.as_json
def version(licences: bool, as_json: bool) -> None:
    """Print the version.

    \b
    Example:
      hookport version --json
    """
    if licences:
        click.echo_via_pager(licence_texts())
    elif as_json:
        show_json({"version": VERSION, "python": platform.python_version(), "system": platform.platform()})
    else:
        show(f"hookport {VERSION}")


def licence_texts() -> str:
    """What the build put into the executable. Raises ProblemError from source, where each package has its own."""
    try:
        return files("appliance").joinpath("licences.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProblemError(problem("licences_not_here")) from None


@click.command()
@flags.as_json
@flags.data_dir
def paths(folder: DataFolder, as_json: bool) -> None:
    """Print where everything is kept.

    \b
    Example:
      hookport paths --data-dir /srv/hookport
    """
    found = {
        "data_dir": folder.path,
        "configuration": folder.configuration,
        "events": folder.events,
        "key": folder.key,
        "logs": folder.logs,
    }
    if as_json:
        show_json({name: str(path) for name, path in found.items()})
    else:
        show_table(("WHAT", "WHERE"), found.items())


@click.command()
@click.option(
    "--start-empty", is_flag=True, help="Begin with an empty events file where the old one is damaged; it is kept beside it."
)
@flags.as_json
@flags.data_dir
@click.pass_context
def check(context: click.Context, folder: DataFolder, start_empty: bool, as_json: bool) -> None:
    """Read both files from end to end and say whether they are sound; exits 1 when not.

    \b
    Example:
      hookport check --data-dir /srv/hookport
    """

    async def conversation(agent: Agent) -> Json:
        if start_empty:
            return await agent.ask_long("POST", "/files/events/start-empty")
        return await agent.ask_long("GET", "/files/check")

    found = talk(folder, conversation)
    if as_json:
        show_json(found)
    else:
        for name in ("configuration", "events"):
            show(f"{name:<14} {'sound' if found[name] else 'damaged; `hookport status` tells what to do'}")
    context.exit(0 if found["configuration"] and found["events"] else 1)
