"""Secrets on the command line: read from a prompt, a pipe, a variable or a file; never an argument, which others can see."""

import sys

import click

_LONGEST = 64 * 1024


def read_secret(given: str) -> str:
    """`-` reads it here; `env:NAME` and `file:PATH` are read by the agent. Raises click.UsageError for anything else."""
    if given.startswith(("env:", "file:")) and given.partition(":")[2]:
        return given
    if given != "-":
        raise click.UsageError("A secret is never an argument: give --secret -, --secret env:NAME or --secret file:PATH.")
    return read_secret_here("Secret")


def read_secret_here(what: str) -> str:
    """A secret from a prompt or a pipe. Raises click.UsageError where none comes."""
    if sys.stdin.isatty():
        secret = str(click.prompt(what, hide_input=True, err=True))
    else:
        secret = sys.stdin.buffer.read(_LONGEST).decode(errors="replace").rstrip("\r\n")
    if not secret:
        raise click.UsageError("No secret came on standard input.")
    return secret
