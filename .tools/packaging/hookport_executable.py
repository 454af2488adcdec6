"""The executable's first lines. The command line is imported only once the process stands right."""

from appliance.frozen import run


def main() -> None:
    """The command line."""
    from appliance.command import main as command_line

    command_line()


run(main)
