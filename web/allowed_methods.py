"""Which methods an address has, told to whoever asks by OPTIONS."""

from litestar.datastructures import MutableScopeHeaders
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope


async def name_methods(message: Message, scope: Scope) -> None:
    """A `before_send` hook. Litestar's own answer leaves out the methods of handlers that came after the address's first."""
    if message["type"] != "http.response.start" or scope.get("method") != "OPTIONS" or message["status"] != 204:
        return
    for route in scope["litestar_app"].routes:
        if isinstance(route, HTTPRoute) and route.path_format == scope["path_template"]:
            MutableScopeHeaders.from_message(message)["allow"] = ", ".join(sorted(route.methods))
