"""`hookport admin`: when nobody can sign in any more."""

import click

from appliance.command import flags
from appliance.command.client import talk
from appliance.command.terminal import show, show_json, tell
from appliance.data_folder import DataFolder


@click.group()
def admin() -> None:
    """For when nobody can sign in on the page.

    \b
    Example:
      hookport admin reset
    """


@admin.command()
@flags.as_json
@flags.data_dir
def reset(folder: DataFolder, as_json: bool) -> None:
    """Print a one-time link that sets a password anew.

    The link works on this machine for 30 minutes. While Hookport is stopped, its next start prints it.

    \b
    Example:
      hookport admin reset
    """
    made = talk(folder, lambda agent: agent.ask("POST", "/admin/reset"))
    if as_json:
        show_json(made)
    elif made["link"] is None:
        tell(f"No Hookport runs with the data folder {folder.path}. Start it: it prints a one-time link that sets a password.")
    else:
        tell("Open this within 30 minutes on this machine; from elsewhere, first: ssh -L PORT:127.0.0.1:PORT SERVER")
        show(made["link"])
