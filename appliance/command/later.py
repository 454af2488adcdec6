"""Commands that come with a later version; until then each says so."""

import click

from touchpoints.problem import ProblemError, problem

_LATER = {
    "backup": "Comes with a later version; until then copy the data folder while Hookport is stopped.",
    "restore": "Comes with a later version; until then put a copy of the data folder back while Hookport is stopped.",
}


def _later(name: str, words: str) -> click.Command:
    @click.argument("ignored", nargs=-1, type=click.UNPROCESSED)
    def say(ignored: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever is asked of it
        raise ProblemError(problem("not_yet", command=name, words=words))

    example = f"\b\nExample:\n  hookport {name} --help"
    settings = {"ignore_unknown_options": True}
    return click.command(name, help=f"{words}\n\n{example}", short_help="(later)", context_settings=settings)(say)


LATER = [_later(name, words) for name, words in _LATER.items()]
