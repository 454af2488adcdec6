"""Endpoint URLs, and the directory the listener looks names up in."""

from store.settings import Configuration
from touchpoints.touchpoint import Touchpoint, TouchpointState
from web.listener.endpoint import Directory, Endpoint


def endpoint_url(touchpoint: Touchpoint, configuration: Configuration, alias: str = "") -> str:
    """What the person pastes into the web application: never built from a Host header. `alias`: by an older name of it."""
    return f"{configuration.agent.host_public_url.rstrip('/')}/hooks/{alias or touchpoint.name}"


def given_url(touchpoint: Touchpoint, configuration: Configuration, path: str) -> str:
    """The URL that a sender was given which posts to a path: it may have signed an alias' URL."""
    alias = path.rpartition("/")[2]
    alias = alias if alias in touchpoint.aliases else ""
    return touchpoint.public_url or endpoint_url(touchpoint, configuration, alias)


def directory_of(configuration: Configuration) -> Directory:
    """All touchpoints that can be posted to, by name and alias."""
    endpoints: dict[str, Endpoint] = {}
    for touchpoint in configuration.touchpoints:
        if touchpoint.state is TouchpointState.DISABLED:
            continue
        for name in (touchpoint.name, *touchpoint.aliases):
            endpoints[name] = Endpoint(touchpoint=touchpoint, url=given_url(touchpoint, configuration, name))
    return Directory(endpoints=endpoints)
