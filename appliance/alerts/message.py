"""A message to a person: what it says, the same for every channel, and never anything of a webhook's body."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.alerts.standing import Due
from store.alerts import Standing
from touchpoints.moment import Micros, rfc3339
from web.page.words import t

MOST_LINES = 20  # of each part; the rest is counted
LONGEST_LINE = 400
LONGEST_SUBJECT = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which Hookport speaks."""

    host: str
    page: str | None  # the page's address
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """News, or what still stands, or what is mended."""

    name: str  # news | again | mended
    title: str
    lines: Sequence[str]
    standing: Sequence[Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes out."""

    id: str
    at: Micros
    subject: str
    parts: Sequence[Part]
    closing: Sequence[str]
    origin: Origin
    test: bool = False

    @property
    def paragraphs(self) -> list[list[str]]:
        """Its lines, part by part."""
        return [*([part.title, *part.lines] for part in self.parts), list(self.closing)]


def compose(due: Due, *, origin: Origin, message_id: str, at: Micros) -> Message:
    """A message about what is due."""
    parts = [
        Part(name=name, title=t(f"alerts.part.{name}"), lines=_lines(name, standing), standing=standing)
        for name, standing in (("news", due.news), ("again", due.again), ("mended", due.mended))
        if standing
    ]
    subject = one_line(_subject(due), LONGEST_SUBJECT)
    return Message(
        id=message_id,
        at=at,
        subject=t("alerts.subject.frame", host=origin.host, what=subject),
        parts=parts,
        closing=_closing(origin, at),
        origin=origin,
    )


def trial(*, origin: Origin, message_id: str, at: Micros) -> Message:
    """The message of the test button."""
    words = Part(name="news", title=t("alerts.test.title"), lines=[t("alerts.test.text")], standing=())
    subject = t("alerts.subject.frame", host=origin.host, what=t("alerts.subject.test"))
    return Message(id=message_id, at=at, subject=subject, parts=[words], closing=_closing(origin, at), origin=origin, test=True)


def _subject(due: Due) -> str:
    needs = [*due.news, *due.again]
    if len(needs) == 1:
        return needs[0].text
    return t("alerts.subject.needs", n=len(needs)) if needs else t("alerts.subject.mended", n=len(due.mended))


def _lines(name: str, standing: Sequence[Standing]) -> list[str]:
    lines = [one_line(_line(name, one), LONGEST_LINE) for one in standing[:MOST_LINES]]
    more = len(standing) - MOST_LINES
    return [*lines, t("alerts.more", n=more)] if more > 0 else lines


def _line(name: str, one: Standing) -> str:
    if name == "mended":
        return t("alerts.line.mended", text=one.text, since=clock(one.since), gone=clock(one.gone_at or one.since))
    if name == "again":
        return t("alerts.line.again", text=one.text, mend=one.mend, since=clock(one.since))
    return f"{one.text} {one.mend}".strip()


def _closing(origin: Origin, at: Micros) -> list[str]:
    lines = [t("alerts.from", host=origin.host, version=origin.version, at=clock(at))]
    return [*lines, t("alerts.page", page=origin.page)] if origin.page else lines


def clock(moment: Micros) -> str:
    """A moment to the minute, in UTC."""
    return f"{rfc3339(moment)[:16].replace('T', ' ')} UTC"


def one_line(text: str, longest: int) -> str:
    """A stranger's text on one line, without characters that cannot be seen."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
