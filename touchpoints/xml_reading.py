"""Reading one place of an XML document that a stranger sent: no DTD, no entities, bounded, never an error.

Names are compared without their prefixes, which a sender may choose as it likes. expat is streamed, so that no tree is built;
what is larger, deeper or has more elements than any sender's message is not there.
"""

from collections.abc import Sequence
from xml.parsers import expat

LARGEST = 4 * 1024 * 1024
_DEEPEST = 64
_MOST_ELEMENTS = 50_000
_MOST_VALUES = 1000
_LONGEST_VALUE = 65_536


class _Enough(Exception):
    """The document has what no message has, so it is not read."""


class _Search:
    """The state of one pass over a document."""

    def __init__(self, path: Sequence[str], attribute: str) -> None:
        self.values: list[bytes] = []
        self._path = list(path)
        self._attribute = attribute
        self._names: list[str] = []
        self._text: list[str] = []
        self._elements = 0
        self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._names.append(_local(name))
        self._elements += 1
        if len(self._names) > _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise _Enough
        if self._names != self._path:
            return
        self._text = []
        if self._attribute:
            self._keep(next((value for key, value in attributes.items() if _local(key) == self._attribute), ""))

    def end(self, _name: str) -> None:
        if self._names == self._path and not self._attribute:
            self._keep("".join(self._text))
        self._names.pop()

    def text(self, data: str) -> None:
        if self._names == self._path:
            self._length += len(data)
            if self._length > _LONGEST_VALUE:
                raise _Enough
            self._text.append(data)

    def _keep(self, value: str) -> None:
        if len(self.values) >= _MOST_VALUES:
            raise _Enough
        self.values.append(value.strip().encode("utf-8", "replace"))


def read_xml(document: bytes, path: Sequence[str], attribute: str = "") -> list[bytes]:
    """The text of every element at a path of local names from the root on, or of its attribute, in the document's order.

    An element or attribute that is empty or lacking counts as an empty text. None at all where the document is malformed.
    """
    if len(document) > LARGEST:
        return []
    search = _Search(path, attribute)
    # A fixed encoding: what the document declares could name any codec of Python's.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = search.start
    parser.EndElementHandler = search.end
    parser.CharacterDataHandler = search.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, _Enough):
        return []
    return search.values


def _refuse(*_declaration: object) -> None:
    raise _Enough


def _local(name: str) -> str:
    return name.rpartition(":")[2]
