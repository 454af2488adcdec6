"""`hookport token`: API tokens for other programs."""

import click

from appliance.command import flags
from appliance.command.client import segment, talk
from appliance.command.terminal import moment, show, show_json, show_table, tell
from appliance.data_folder import DataFolder


@click.group()
def token() -> None:
    """List, make and revoke tokens for the JSON API.

    \b
    Example:
      hookport token add nagios --scope read
    """


@token.command("list")
@flags.as_json
@flags.data_dir
def list_(folder: DataFolder, as_json: bool) -> None:
    """List API tokens, never their values.

    \b
    Example:
      hookport token list
    """
    found = talk(folder, lambda agent: agent.ask("GET", "/tokens"))
    if as_json:
        show_json(found)
        return
    rows = [(one["name"], one["scope"], moment(one["created_at"]), moment(one["last_used_at"])) for one in found["tokens"]]
    show_table(("NAME", "SCOPE", "MADE", "LAST USED"), rows)


@token.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(["read", "operate", "admin"]), default="read", show_default=True, help="Its rights.")
@flags.as_json
@flags.data_dir
def add(folder: DataFolder, name: str, scope: str, as_json: bool) -> None:
    """Make a token and print it, this once.

    \b
    Example:
      hookport token add nagios --scope read
    """
    made = talk(folder, lambda agent: agent.ask("POST", "/tokens", json={"name": name, "scope": scope}))
    if as_json:
        show_json(made)
        return
    tell(f"Made {name} with scope {scope}. It is shown this once:")
    show(made["token"])


@token.command()
@click.argument("name")
@flags.as_json
@flags.data_dir
def revoke(folder: DataFolder, name: str, as_json: bool) -> None:
    """Revoke a token; from now on it opens nothing.

    \b
    Example:
      hookport token revoke nagios
    """
    gone = talk(folder, lambda agent: agent.ask("DELETE", f"/tokens/{segment(name)}"))
    if as_json:
        show_json(gone)
    else:
        tell(f"Revoked {gone['revoked']}.")
