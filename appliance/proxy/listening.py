"""The public listener of a proxy: where it listens, and how many may come."""

from store.server_settings import ServerSettings
from store.settings import AgentSettings
from web.listener.crowd import Ceilings

# Each agent keeps a connection open to wait on; many may come from one company's address.
CEILINGS = Ceilings(total=12_000, per_address=1024)


def listening(settings: ServerSettings) -> AgentSettings:
    """The public listener's settings, as the direct path of an agent takes them; none until a public URL was chosen."""
    return AgentSettings(
        mode="direct" if settings.public_url else None,
        host_public_url=settings.public_url,
        listen=settings.listen,
        port=settings.port,
        tls_certificate=settings.tls_certificate,
        tls_key=settings.tls_key,
        trusted_proxies=settings.trusted_proxies,
    )
