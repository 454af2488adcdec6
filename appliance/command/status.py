"""`hookport status`: how the agent fares."""

from typing import Any

import click

from appliance import VERSION
from appliance.command import flags
from appliance.command.client import Agent, Json, talk
from appliance.command.terminal import show, show_json, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError
from web.page import figures


@click.command()
@flags.as_json
@flags.data_dir
@click.pass_context
def status(context: click.Context, folder: DataFolder, as_json: bool) -> None:
    """Show whether the agent runs, what waits, and what needs you.

    Exits 0 only when it runs, every configured path is up and nothing needs you; else 1.

    \b
    Example:
      hookport status --json
    """
    try:
        found, known = talk(folder, _read), True
    except ProblemError as error:
        found, known = _unknown(folder, role="proxy" if flags.of_proxy(context) or folder.is_proxy else "agent"), False
        for one in error.problems:
            tell(str(one))
    if as_json:
        show_json(found)
    else:
        _show(found, known=known)
    context.exit(0 if found["running"] and found["ok"] else 1)


async def _read(agent: Agent) -> Json:
    found = await agent.ask("GET", "/status")
    return found if agent.running else found | {"running": False, "ok": False, "page": None}


def _unknown(folder: DataFolder, *, role: str) -> Json:
    """The shape of a status of which nothing is known."""
    return {
        "version": VERSION,
        "role": role,
        "running": False,
        "ok": False,
        "mode": None,
        "data_dir": str(folder.path),
        "page": None,
        "direct": {"state": "off", "address": None, "url": None, "error": None},
        "proxy": {
            "state": "off",
            "url": None,
            "domain": None,
            "last_poll_at": None,
            "waiting": None,
            "agent": None,
            "holder": None,
            "error": None,
        },
        "backlog": {"inbox": None, "outbox": None, "held": None, "oldest_seconds": None},
        "needs_you": [],
    }


def _show(found: Json, *, known: bool) -> None:
    if found["running"]:
        show(f"Hookport {found['version']} runs; its page is at {found['page']}")
    else:
        show(f"Hookport does not run. Start it with: hookport {'proxy' if found['role'] == 'proxy' else 'run'}")
    show(f"Data folder  {found['data_dir']}")
    if not known:
        return
    if found["role"] == "proxy":
        _show_proxy(found)
    else:
        _show_agent(found)
    needs = found["needs_you"]
    show(f"Needs you    {'nothing' if not needs else ''}".rstrip())
    for need in needs:
        show(f"  - {need['text']}")


def _show_agent(found: Json) -> None:
    show(f"Mode         {found['mode'] or 'not chosen yet'}")
    show(f"Direct       {_path(found['direct'])}")
    show(f"Proxy        {_path(found['proxy'] | {'error': None})}{_at_proxy(found['proxy'])}")
    show(f"Waiting      {_backlog(found['backlog'])}")


def _show_proxy(found: Json) -> None:
    show(f"Listener     {_path(found['direct'])}")
    if (queue := found.get("queue")) is None:
        return
    show(f"Serves       {queue['organisations']} organisations, {queue['connected']} of them connected")
    waits = "unknown" if queue["events"] is None else f"{queue['events']} events, {figures.size(queue['bytes'])}"
    show(f"Waiting      {waits}")


def _path(path: dict[str, Any]) -> str:
    parts = [path["state"], path.get("address"), path.get("url"), path.get("error")]
    return ", ".join(str(part) for part in parts if part)


def _at_proxy(proxy: dict[str, Any]) -> str:
    parts = (
        proxy["domain"],
        f"{proxy['holder']} pulls" if proxy.get("holder") else "",
        f"{proxy['waiting']} waiting there" if proxy["waiting"] else "",
    )
    return "".join(f", {part}" for part in parts if part)


def _backlog(backlog: dict[str, Any]) -> str:
    if backlog["inbox"] is None:
        return "unknown"
    oldest = backlog["oldest_seconds"]
    age = "" if oldest is None else f"; the oldest for {oldest} s"
    return f"{backlog['inbox']} to plan, {backlog['outbox']} to deliver, {backlog['held']} held{age}"
