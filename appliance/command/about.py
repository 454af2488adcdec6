"""`hookport version`, `paths` and `check`: what this is, where it keeps things, and whether they can be read."""

import platform

import click

from appliance import VERSION
from appliance.command import flags
from appliance.command.client import Agent, Json, talk
from appliance.command.terminal import show, show_json, show_table
from appliance.data_folder import DataFolder


@click.command()
@flags.as_json
def version(as_json: bool) -> None:
    """Print the version.

    \b
    Example:
      hookport version --json
    """
    if as_json:
        show_json({"version": VERSION, "python": platform.python_version(), "system": platform.platform()})
    else:
        show(f"hookport {VERSION}")


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
@flags.as_json
@flags.data_dir
@click.pass_context
def check(context: click.Context, folder: DataFolder, as_json: bool) -> None:
    """Open everything in the data folder and say whether it can be used; exits 1 when not.

    \b
    Example:
      hookport check --data-dir /srv/hookport
    """
    found = talk(folder, _read)
    if as_json:
        show_json(found)
    else:
        for name in ("configuration", "events"):
            show(f"{name:<14} {'readable' if found[name] else 'cannot be used; `hookport status` tells why'}")
    context.exit(0 if found["configuration"] and found["events"] else 1)


async def _read(agent: Agent) -> Json:
    """Reading the configuration unseals its secrets; the backlog is known only when the events file can be read."""
    await agent.ask("GET", "/configuration")
    status = await agent.ask("GET", "/status")
    return {"configuration": True, "events": status["backlog"]["inbox"] is not None}
