"""The options that many commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.data_folder import DataFolder, locate

Command = Callable[..., Any]

TIME = "RFC 3339, or 36h, or 7d; without a zone, this machine's."


def _located(context: click.Context, _parameter: click.Parameter, given: Path | None) -> DataFolder:
    return locate(given, os.environ, role="hookport-proxy" if of_proxy(context) else "hookport")


def of_proxy(context: click.Context | None) -> bool:
    """Whether a command stands under `hookport proxy`, and so means the proxy's data folder."""
    while context is not None:
        if context.info_name == "proxy":
            return True
        context = context.parent
    return False


data_dir = click.option(
    "--data-dir",
    "folder",
    type=click.Path(path_type=Path),
    callback=_located,
    metavar="DIR",
    help="The data folder.  [default: HOOKPORT_DATA_DIR, else the system's place; see `hookport paths`]",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")

_FILTERS = (
    click.option("--reference", metavar="R", help="The number people use, e.g. an order's."),
    click.option("--key", metavar="K", help="The provider's id of the event."),
    click.option("--since", metavar="T", help=f"Received at or after: {TIME}"),
    click.option("--until", metavar="T", help="Received before."),
    click.option("--touchpoint", metavar="NAME", help="Of this touchpoint."),
    click.option("--destination", metavar="NAME", help="To this destination."),
    click.option(
        "--state",
        type=click.Choice(
            ["pending", "held", "delivered", "given_up", "dismissed", "refused", "duplicate", "filtered", "split"]
        ),
        help="In this state.",
    ),
    click.option("--tests", is_flag=True, help="Include test events."),
)


def filters(command: Command) -> Command:
    """The filters of lists, actions and the export; the command gets them as keywords."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def given(chosen: dict[str, Any]) -> dict[str, Any]:
    """The filters a person gave, without the others."""
    return {name: value for name, value in chosen.items() if value}
