"""The root of the command line: its commands, the default one, and how a failure ends."""

import errno
from typing import Any

import click

from appliance import VERSION
from appliance.command.about import check, paths, version
from appliance.command.admin import admin
from appliance.command.alerts import alerts
from appliance.command.backup import backup, restore
from appliance.command.client import Turned
from appliance.command.config import UnreadableFile, config
from appliance.command.events import events
from appliance.command.export import export
from appliance.command.pair import pair, pairing
from appliance.command.proxy import proxy
from appliance.command.run import run
from appliance.command.selftest import selftest
from appliance.command.status import status
from appliance.command.terminal import tell
from appliance.command.token import token
from appliance.command.touchpoint import touchpoint
from touchpoints.problem import ProblemError, problem

_OWN = ("--help", "-h", "--version")


class Root(click.Group):
    """A group that runs the agent when no command is named, and ends every foreseen failure in words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`hookport --data-dir D` means `hookport run --data-dir D`."""
        if not args or (args[0].startswith("-") and args[0] not in _OWN):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; problems go to stderr, each with what mends it."""
        try:
            return super().invoke(ctx)
        except ProblemError as error:
            for one in error.problems:
                tell(str(one))
            ctx.exit(exit_code(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            tell(str(problem("system_refused", why=f"{where}{error.strerror or type(error).__name__}")))
            ctx.exit(1)


def exit_code(error: ProblemError) -> int:
    """2 for a refused configuration, 3 when another instance holds the data folder, else 1."""
    if isinstance(error, UnreadableFile) or (isinstance(error, Turned) and error.status == 422):
        return 2
    return 3 if any(one.code == "already_running" for one in error.problems) else 1


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, message="hookport %(version)s")
def hookport() -> None:
    """Receives webhooks, keeps each one safe, and carries it into the back office.

    \b
    Without a command it runs the agent:
      hookport --data-dir /srv/hookport --config hookport.toml
    """


for command in (
    run,
    status,
    config,
    touchpoint,
    events,
    export,
    alerts,
    token,
    admin,
    paths,
    check,
    selftest,
    version,
    proxy,
    pair,
    pairing,
    backup,
    restore,
):
    hookport.add_command(command)
