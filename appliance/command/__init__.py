"""The command line: one file a command."""

import io
import sys

from appliance.command.root import hookport

if sys.platform == "win32":
    from appliance.streams_windows import open_missing_streams


def main() -> None:
    """The console script. Exits 0 done, 1 failed, 2 wrong use or refused configuration, 3 another instance has the folder."""
    if sys.platform == "win32":
        open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a letter is no reason to fail
    hookport(prog_name="hookport")
