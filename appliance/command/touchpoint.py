"""`hookport touchpoint`: list, add, rename, remove, test."""

from pathlib import Path
from typing import Any, cast

import click

from appliance.command import flags
from appliance.command.client import Agent, Json, segment, talk
from appliance.command.config import show_applied
from appliance.command.secret import read_secret
from appliance.command.terminal import moment, show, show_json, show_table, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem

BODY_LIMIT = 25 * 1024 * 1024


@click.group()
def touchpoint() -> None:
    """List and change touchpoints, and send a test event.

    \b
    Example:
      hookport touchpoint add orders --provider shopify --secret - --to http://127.0.0.1:9000/orders
    """


@touchpoint.command("list")
@flags.as_json
@flags.data_dir
def list_(folder: DataFolder, as_json: bool) -> None:
    """List touchpoints with their endpoint URLs.

    \b
    Example:
      hookport touchpoint list --json
    """
    found = talk(folder, lambda agent: agent.ask("GET", "/touchpoints"))
    if as_json:
        show_json(found)
        return
    heads = ("NAME", "PROVIDER", "STATE", "PENDING", "GIVEN UP", "LAST EVENT", "ENDPOINT URL")
    show_table(heads, [_line(one) for one in found["touchpoints"]])


def _line(one: Json) -> list[Any]:
    counts = [sum(to[name] for to in one["destinations"]) for name in ("pending", "given_up")]
    return [
        one["name"],
        one["provider"],
        one["state"],
        *counts,
        moment(one["last_event_at"]),
        _url(one) or "(no path is up)",
    ]


def _url(one: Json) -> str | None:
    urls = one["endpoint_urls"]
    return cast(str | None, urls["direct"] or urls["proxy"])


@touchpoint.command()
@click.argument("name")
@click.option("--provider", required=True, metavar="P", help="Who sends: shopify, github, stripe, generic, …")
@click.option("--secret", "secrets", multiple=True, metavar="-|env:N|file:P", help="Where the secret is read; - asks for it.")
@click.option("--to", required=True, metavar="URL|PATH", help="An HTTP destination, or a folder.")
@flags.dry_run
@flags.as_json
@flags.data_dir
def add(folder: DataFolder, name: str, provider: str, secrets: tuple[str, ...], to: str, dry_run: bool, as_json: bool) -> None:
    """Add a touchpoint with one destination, and print the endpoint URL to paste into the sender's webhook settings.

    \b
    Example:
      hookport touchpoint add orders --provider shopify --secret - --to http://127.0.0.1:9000/orders
    """
    table: Json = {"name": name, "provider": provider, "destination": [_destination(to)]}
    if secrets:
        table["secrets"] = [read_secret(one) for one in secrets]
    wanted = {"touchpoint": table, "base": str(Path.cwd()), "dry_run": dry_run}

    async def added(agent: Agent) -> tuple[Json, Json]:
        applied = await agent.ask("POST", "/touchpoints", json=wanted)
        return applied, await agent.ask("GET", "/touchpoints")

    applied, found = talk(folder, added, may_begin=not dry_run)
    if dry_run:
        show_applied(applied, as_json=as_json)
        return
    new = next(one for one in found["touchpoints"] if one["name"] == name)
    if as_json:
        show_json({"touchpoint": new})
    elif url := _url(new):
        tell(f"Added {name}. Paste this endpoint URL into the sender's webhook settings:")
        show(url)
    else:
        tell(f"Added {name}. It has no endpoint URL yet: set mode and host_public_url under [agent] (hookport config apply).")


def _destination(to: str) -> Json:
    if to.lower().startswith(("http://", "https://")):
        return {"kind": "http", "url": to}
    if "://" in to:
        raise ProblemError(problem("not_a_url", path="--to", schemes="http:// or https://"))
    return {"kind": "folder", "path": str(Path(to).absolute())}


@touchpoint.command()
@click.argument("old")
@click.argument("new")
@flags.as_json
@flags.data_dir
def rename(folder: DataFolder, old: str, new: str, as_json: bool) -> None:
    """Rename a touchpoint; its old endpoint URL goes on working.

    \b
    Example:
      hookport touchpoint rename orders shop-orders
    """
    path = f"/touchpoints/{segment(old)}/rename"
    show_applied(talk(folder, lambda agent: agent.ask("POST", path, json={"name": new})), as_json=as_json)


@touchpoint.command()
@click.argument("name")
@flags.as_json
@flags.data_dir
def remove(folder: DataFolder, name: str, as_json: bool) -> None:
    """Remove a touchpoint; refused while it has undelivered events.

    \b
    Example:
      hookport touchpoint remove orders
    """
    path = f"/touchpoints/{segment(name)}"
    show_applied(talk(folder, lambda agent: agent.ask("DELETE", path)), as_json=as_json)


@touchpoint.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header to send, e.g. the event type's.")
@click.option("--deliver", is_flag=True, help="Send it on to the destinations, marked as a test.")
@flags.as_json
@flags.data_dir
@click.pass_context
def test(
    context: click.Context,
    folder: DataFolder,
    name: str,
    file: Path | None,
    headers: tuple[str, ...],
    deliver: bool,
    as_json: bool,
) -> None:
    """Sign a test event (FILE, or the provider's sample), receive and verify it, and show what would be sent.

    \b
    Example:
      hookport touchpoint test orders order.json --header 'X-Shopify-Topic: orders/create'
    """
    body = b"" if file is None else _body(file)
    params = {"deliver": str(deliver).lower(), "header": list(headers)}
    path = f"/touchpoints/{segment(name)}/test"
    played = talk(folder, lambda agent: agent.ask("POST", path, content=body, params=params))
    if as_json:
        show_json(played)
    else:
        _show_played(played)
    failed = [one for one in played["deliveries"] if one.get("outcome", "delivered") != "delivered"]
    context.exit(1 if played["verdict"] == "refused" or failed else 0)


def _body(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(BODY_LIMIT + 1)
    if len(content) > BODY_LIMIT:
        raise ProblemError(problem("file_too_large", file=file))
    return content


def _show_played(played: Json) -> None:
    show(f"{played['verdict']} {played['reason']}".rstrip())
    for one in played["deliveries"]:
        outcome = f"{one['outcome']} {one.get('error') or ''}" if "outcome" in one else "not sent; --deliver sends it"
        show(f"  {one['destination']} ({one['kind']}) {one.get('method', '')} {one.get('target', '')}: {outcome}")
