"""`hookport config`: the whole configuration as TOML."""

from pathlib import Path

import click

from appliance.command import flags
from appliance.command.client import Json, talk
from appliance.command.terminal import safe_lines, show_json, tell
from appliance.data_folder import DataFolder
from touchpoints.problem import ProblemError, problem

FILE_LIMIT = 1024 * 1024


class UnreadableFile(ProblemError):
    """What was given as a configuration is no text that could be one."""


@click.group()
def config() -> None:
    """Show or apply the configuration.

    \b
    Example:
      hookport config apply hookport.toml --dry-run
    """


@config.command()
@flags.as_json
@flags.data_dir
def show(folder: DataFolder, as_json: bool) -> None:
    """Print the configuration as TOML; secrets as fingerprints, which apply takes for "keep".

    \b
    Example:
      hookport config show > hookport.toml
    """
    found = talk(folder, lambda agent: agent.ask("GET", "/configuration"))
    if as_json:
        show_json(found)
    else:
        click.echo(safe_lines(found["toml"]))


@config.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.toml")
@click.option("--prune", is_flag=True, help="The file is the whole truth: what it leaves out is removed, but secrets are kept.")
@flags.dry_run
@flags.as_json
@flags.data_dir
def apply(folder: DataFolder, file: Path, prune: bool, dry_run: bool, as_json: bool) -> None:
    """Apply a configuration file; exits 2 with every problem at once when it does not hold, and then nothing was changed.

    \b
    Example:
      hookport config apply hookport.toml --dry-run
    """
    base = str(file.absolute().parent)
    proxy = flags.of_proxy(click.get_current_context())
    wanted = {"toml": read_file(file), "base": base, "prune": prune, "dry_run": dry_run}
    show_applied(
        talk(folder, lambda agent: agent.ask("POST", "/configuration", json=wanted), may_begin=not dry_run, proxy=proxy),
        as_json=as_json,
    )


def read_file(file: Path) -> str:
    """A configuration file's text. Raises UnreadableFile when it is too large or no UTF-8."""
    with file.open("rb") as opened:
        content = opened.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise UnreadableFile(problem("file_too_large", file=file))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFile(problem("file_not_utf8", file=file)) from error


def show_applied(applied: Json, *, as_json: bool) -> None:
    """What a change came to: the object on stdout, or words."""
    if as_json:
        show_json(applied)
        return
    changes = applied["changes"]
    for change in changes:
        click.echo(safe_lines(f"{change['what']:<8} {change['path']}"))
    if not changes:
        tell("Nothing to change.")
    elif applied["dry_run"]:
        tell("Dry run: nothing was changed.")
