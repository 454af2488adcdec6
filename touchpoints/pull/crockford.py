"""Crockford's base32: characters that people read to each other and type without mistakes."""

from string import ascii_lowercase, ascii_uppercase

from touchpoints.pull.key import Chance

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORGIVEN = str.maketrans("OIL", "011", " -\u2010\u2011\u2012\u2013\u2014\t\r\n\u00a0")
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)  # upper() would make ASCII of some other alphabets' letters
_LONGEST = 200  # characters looked at: a code with every imaginable gap is shorter


def draw(chance: Chance, count: int) -> str:
    """So many random characters, five bits each."""
    return "".join(ALPHABET[byte & 31] for byte in chance(count))


def grouped(characters: str) -> str:
    """In groups of four: `XXXX-XXXX`."""
    return "-".join(characters[start : start + 4] for start in range(0, len(characters), 4))


def read(text: str, count: int) -> str | None:
    """So many characters as a person types them, or None. Lower case, gaps and dashes, O, I and L are forgiven."""
    if len(text) > _LONGEST:
        return None
    characters = text.translate(_UPPER).translate(_FORGIVEN)
    return characters if len(characters) == count and set(characters) <= set(ALPHABET) else None


def number(characters: str) -> int:
    """The number that characters of the alphabet write, the first one highest."""
    value = 0
    for character in characters:
        value = value << 5 | ALPHABET.index(character)
    return value
