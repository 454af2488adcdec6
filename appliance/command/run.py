"""`hookport run`: the agent."""

import os
from pathlib import Path

import click

from appliance.options import RunOptions


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The data folder; see `hookport paths`.",
)
@click.option("--admin", default="127.0.0.1:8421", show_default=True, metavar="HOST:PORT", help="Of the page and its API.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.toml",
    help="A configuration file, applied when it differs from the last one.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.pass_context
def run(context: click.Context, data_dir: Path | None, admin: str, config: Path | None, no_browser: bool) -> None:
    """Run the agent until it is stopped with Ctrl-C or SIGTERM.

    \b
    Example:
      hookport run --data-dir /srv/hookport --config hookport.toml --no-browser
    """
    from appliance.process import run as run_agent

    named = data_dir or (Path(os.environ["HOOKPORT_DATA_DIR"]) if os.environ.get("HOOKPORT_DATA_DIR") else None)
    context.exit(run_agent(RunOptions(data_dir=named, admin=admin, config=config, no_browser=no_browser)))
