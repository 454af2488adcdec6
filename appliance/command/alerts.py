"""`hookport alerts`: whether a person is reached."""

import click

from appliance.command import flags
from appliance.command.client import talk
from appliance.command.terminal import show, show_json
from appliance.data_folder import DataFolder

_WAYS = {"email": "by e-mail", "webhook": "by webhook"}


@click.group()
def alerts() -> None:
    """Prove that alerts reach a person.

    \b
    Example:
      hookport alerts test
    """


@alerts.command()
@flags.as_json
@flags.data_dir
@click.pass_context
def test(context: click.Context, folder: DataFolder, as_json: bool) -> None:
    """Send a test alert by every channel of [alerts]; exits 1 when one fails.

    \b
    Example:
      hookport alerts test
    """
    tested = talk(folder, lambda agent: agent.ask("POST", "/alerts/test"))
    if as_json:
        show_json(tested)
    else:
        for one in tested["channels"]:
            way, error = _WAYS[one["channel"]], one["error"] or ""
            show(f"Sent {way}. {error}".strip() if one["sent"] else f"Could not be sent {way}: {error}")
    context.exit(0 if all(one["sent"] for one in tested["channels"]) else 1)
