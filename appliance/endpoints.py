"""Endpoint URLs, and the directory the listener looks names up in."""

from store.settings import Configuration
from touchpoints.touchpoint import Touchpoint, TouchpointState
from web.listener.endpoint import Directory, Endpoint


def endpoint_url(touchpoint: Touchpoint, configuration: Configuration) -> str:
    """What the person pastes into the web application: never built from a Host header."""
    return f"{configuration.agent.host_public_url.rstrip('/')}/hooks/{touchpoint.name}"


def directory_of(configuration: Configuration) -> Directory:
    """All touchpoints that can be posted to, by name and alias."""
    endpoints: dict[str, Endpoint] = {}
    for touchpoint in configuration.touchpoints:
        if touchpoint.state is TouchpointState.DISABLED:
            continue
        endpoint = Endpoint(touchpoint=touchpoint, url=touchpoint.public_url or endpoint_url(touchpoint, configuration))
        endpoints |= dict.fromkeys((touchpoint.name, *touchpoint.aliases), endpoint)
    return Directory(endpoints=endpoints)
