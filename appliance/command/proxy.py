"""`hookport proxy`: the hosted queue that agents in proxy mode pull."""

from pathlib import Path

import click

from appliance.address import split_address
from appliance.command.about import check
from appliance.command.admin import admin
from appliance.command.backup import backup, restore
from appliance.command.config import config
from appliance.command.proxy_org import org
from appliance.command.status import status
from appliance.command.token import token
from appliance.options import RunOptions


class Proxy(click.Group):
    """A group that runs the proxy when no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`hookport proxy --data-dir D` means `hookport proxy run --data-dir D`."""
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Proxy)
def proxy() -> None:
    """Run a hosted proxy, and look after its organisations.

    Webhooks are posted to it and wait, sealed, until an agent of the organisation pulls them.
    The commands beside `run` and `org` are those of the agent, for the proxy's data folder.

    \b
    Example:
      hookport proxy --public-url https://proxy.example.net --config proxy.toml
    """


@proxy.command("run")
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="The data folder.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.toml",
    help="A configuration file, applied when it differs from the last one.",
)
@click.option(
    "--listen", metavar="HOST:PORT", help="Of the public listener; kept.  [default: as configured, else 0.0.0.0:8430]"
)
@click.option(
    "--admin", "place", default="127.0.0.1:8431", show_default=True, metavar="HOST:PORT", help="Of the operator's page."
)
@click.option("--public-url", metavar="URL", help="Where senders and agents reach the proxy; kept.")
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.pass_context
def run(
    context: click.Context,
    data_dir: Path | None,
    config: Path | None,
    listen: str | None,
    place: str,
    public_url: str | None,
    no_browser: bool,
) -> None:
    """Run the proxy until it is stopped with Ctrl-C or SIGTERM.

    Beyond this machine the public listener needs TLS of its own (tls_certificate, tls_key in the configuration file), or a
    reverse proxy before it that does TLS and is named in trusted_proxies.

    \b
    Example:
      hookport proxy run --listen 127.0.0.1:8430 --public-url https://proxy.example.net
    """
    from appliance.process import run as run_process
    from appliance.proxy.server import PROXY

    server: dict[str, object] = {}
    if public_url is not None:
        server["public_url"] = public_url
    if listen is not None:
        try:
            server["listen"], server["port"] = split_address(listen)
        except ValueError:
            raise click.BadParameter("give it as HOST:PORT, for example 0.0.0.0:8430", param_hint="--listen") from None
    settings = {"server": server} if server else {}
    options = RunOptions(data_dir=data_dir, admin=place, config=config, no_browser=no_browser, settings=settings)
    context.exit(run_process(options, PROXY))


for command in (org, status, config, token, admin, check, backup, restore):
    proxy.add_command(command)
