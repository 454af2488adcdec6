"""The settings beside touchpoints, as typed values with their defaults. `store.document` makes them from a checked document."""

from dataclasses import dataclass, field

from touchpoints.moment import HOUR, MINUTE, Micros
from touchpoints.problem import Problem
from touchpoints.touchpoint import Touchpoint

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """`[agent]`."""

    mode: str | None = None  # direct | proxy | both; None until chosen: no public port is bound
    host_public_url: str = ""
    listen: str = "0.0.0.0"  # noqa: S104 - the public listener's documented default
    port: int = 8420
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""  # PEM file: with it, TLS clients are asked for a certificate
    trusted_proxies: tuple[str, ...] = ()
    switch_overlap: Micros = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """`[proxy]`."""

    url: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`[limits]`; sizes in bytes."""

    body: int = 25 * MIB
    buffers: int = 64 * MIB
    per_second: int = 0  # 0: off


def shares(buffers: int) -> tuple[int, int]:
    """How `limits.buffers` is divided, in bytes: three quarters for bodies on their way in, the rest for deliveries."""
    return buffers - buffers // 4, buffers // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """`[retention]`; sizes in bytes, 0: no limit."""

    bodies_days: int = 30
    log_days: int = 400
    refused_days: int = 30
    refused_size: int = 1024 * MIB
    size: int = 0
    free_disk: int = 200 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """`[page]`."""

    hosts: tuple[str, ...] = ()
    tls_certificate: str = ""
    tls_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """`[backup]`; `size` in bytes."""

    at: str = "02:30"  # HH:MM of this machine's clock; empty: none is made by itself
    folder: str = ""  # absolute; empty: `backups` in the data folder
    keep: int = 7
    size: int = 1024 * MIB  # of all that are kept
    passphrase: str = field(default="", repr=False)  # seals the key file into each; empty: the key stays out

    @property
    def settled(self) -> bool:
        """Whether more goes in than what is unsettled."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBackupSettings(BackupSettings):
    """An agent's `[backup]`."""

    bodies: bool = False  # also the bodies of settled events

    @property
    def settled(self) -> bool:
        """See BackupSettings."""
        return self.bodies


# What an alert may be about: codes of needs. What only waits for setting up is told on the page alone.
ALERT_KINDS = (
    "given_up",
    "destination_down",
    "nothing_came",
    "refused_events",
    "stranded_events",
    "events_lack_touchpoint",
    "listener_down",
    "proxy_down",
    "proxy_tampered",
    "proxy_revoked_us",
    "proxy_not_known",
    "proxy_quota_near",
    "proxy_quota_reached",
    "proxy_gap",
    "proxy_behind",
    "proxy_left",
    "proxy_lacking",
    "disk_low",
    "store_full",
    "events_store_down",
    "events_unreadable",
    "store_part_unreadable",
    "not_looked_through",
    "certificate_expires",
    "page_certificate_expires",
    "config_not_applied",
    "secret_stale",
    "backup_failed",
    "backup_no_room",
    "backup_too_large",
    "restored",
    "restored_nothing_held",
    "alert_email_failed",
    "alert_webhook_failed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """`[alerts]`."""

    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp_host: str = ""
    smtp_port: int = 0  # 0: the usual one of smtp_security
    smtp_security: str = "starttls"  # starttls | tls | none
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_ca: str = ""
    webhook_url: str = field(default="", repr=False)  # of Slack and Teams it is a credential
    webhook_shape: str = "hookport"  # hookport | slack | teams
    webhook_secret: str = field(default="", repr=False)
    about: tuple[str, ...] = ()  # of ALERT_KINDS; empty: all
    group: Micros = MINUTE
    repeat: Micros | None = 24 * HOUR  # None: off
    silence: Micros | str | None = "auto"  # None: off

    @property
    def kinds(self) -> frozenset[str]:
        """What is told."""
        return frozenset(self.about or ALERT_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything the process runs by, checked and in clear."""

    agent: AgentSettings = AgentSettings()
    proxy: ProxySettings = ProxySettings()
    limits: Limits = Limits()
    retention: RetentionSettings = RetentionSettings()
    page: PageSettings = PageSettings()
    alerts: AlertSettings = AlertSettings()
    backup: AgentBackupSettings = AgentBackupSettings()
    touchpoints: tuple[Touchpoint, ...] = ()
    touchpoint_names: dict[int, str] = field(default_factory=dict)  # also of removed ones, for the log
    destination_names: dict[int, str] = field(default_factory=dict)  # also of removed ones
    warnings: tuple[Problem, ...] = ()  # what a person should know, such as a secret that could not be read anew
