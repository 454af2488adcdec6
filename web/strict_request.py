"""A request whose JSON is taken as it is described: a number is no text, 0 is no false, and an unknown key is refused."""

import re
from typing import Any

import msgspec
from litestar import Request
from litestar.connection.base import AuthT, StateT, UserT
from litestar.exceptions import ValidationException

_PLACE = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)


class StrictRequest(Request[UserT, AuthT, StateT]):
    """Litestar itself would turn what a body holds into the wanted type wherever that can be done somehow."""

    async def json(self) -> Any:
        """The body in the shape that its handler wants. Raises ValidationException where it has another."""
        try:
            found = await super().json()
        except UnicodeDecodeError:  # which Litestar takes for a mistake of the handler's
            raise _refused("it is not UTF-8") from None
        wanted = self.route_handler.parsed_data_field
        if wanted is None:
            return found
        try:
            return _as_wanted(found, wanted.annotation)
        except msgspec.ValidationError as error:
            raise _refused(str(error)) from error


def _as_wanted(found: Any, wanted: Any) -> Any:
    try:
        return msgspec.convert(found, type=wanted)
    except msgspec.ValidationError:
        return msgspec.convert(_whole(found), type=wanted)  # in JSON Schema 5.0 is an integer


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {key: _whole(one) for key, one in value.items()}
    return value


def _refused(words: str) -> ValidationException:
    place = _PLACE.search(words)
    detail = {"message": _PLACE.sub("", words), "key": place[1] if place else "", "source": "body"}
    return ValidationException(detail="it has another shape", extra=[detail])
