"""The settings of a hosted proxy, as typed values with their defaults. `store.server_definition` makes them from a document."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from store.settings import MIB, BackupSettings, PageSettings
from touchpoints.moment import HOUR, Micros
from touchpoints.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """`[server]`; sizes in bytes."""

    public_url: str = ""  # where senders and agents reach the proxy; empty until chosen: no public port is bound
    listen: str = "0.0.0.0"  # noqa: S104 - the public listener's documented default
    port: int = 8430
    tls_certificate: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    wildcard: bool = False
    max_age_days: int = 14
    acknowledged_days: int = 3
    quota_events: int = 1_000_000
    quota_bytes: int = 1024 * MIB
    body: int = 25 * MIB
    token_overlap: Micros = 24 * HOUR
    per_second: int = 0  # of one endpoint; 0: off
    address_per_second: int = 0  # 0: off

    @property
    def wildcard_host(self) -> bytes:
        """The host under which each organisation has a name of its own, in lower case; empty where it has none."""
        return (urlsplit(self.public_url).hostname or "").encode("ascii", "replace") if self.wildcard else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """`[limits]`; in bytes."""

    buffers: int = 64 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBackupSettings(BackupSettings):
    """A proxy's `[backup]`."""

    acknowledged: bool = False  # also events that agents took and settled

    @property
    def settled(self) -> bool:
        """See BackupSettings."""
        return self.acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationSettings:
    """One `[[organisation]]`; None: the server's default."""

    name: str
    quota_events: int | None = None
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfiguration:
    """Everything a proxy runs by, checked."""

    server: ServerSettings = ServerSettings()
    limits: ServerLimits = ServerLimits()
    page: PageSettings = field(default_factory=PageSettings)
    backup: ServerBackupSettings = field(default_factory=ServerBackupSettings)
    organisations: tuple[OrganisationSettings, ...] = ()
    warnings: tuple[Problem, ...] = ()  # what a person should know, such as a secret that could not be read anew
