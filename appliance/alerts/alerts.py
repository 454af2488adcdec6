"""The alerts: looks every few seconds at what needs a person, and lets each channel tell what it has not told yet."""

import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from appliance import VERSION
from appliance.alerts.channel import Channel, Send
from appliance.alerts.message import Message, Origin, compose, trial
from appliance.alerts.standing import Due, Outlook
from appliance.alerts.unsent import Unsent
from appliance.alerts.webhook import send_webhook
from appliance.clock import Clock
from appliance.needs import Need
from appliance.tasks import Tasks
from store.alerts import AlertMemory, Standing
from store.redaction import Redaction, secrets_of, secrets_of_alerts
from store.settings import AlertSettings, Configuration
from touchpoints.moment import MINUTE, SECOND, Micros, rfc3339
from touchpoints.problem import ProblemError, problem

Json = dict[str, Any]

TESTS_APART = 5 * SECOND
MOST_TESTS = 10  # in ten minutes: a button must not fill a mailbox
SHOWN = 50

# What of the settings a channel is made of: where that changes, what failed is tried anew.
_EMAIL = ("email_to", "email_from", "smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_password", "smtp_ca")
_WEBHOOK = ("webhook_url", "webhook_shape", "webhook_secret")


def is_set_up(name: str, settings: AlertSettings) -> bool:
    """Whether a channel leads anywhere."""
    return bool(settings.smtp_host and settings.email_to) if name == "email" else bool(settings.webhook_url)


async def _send_mail(message: Message, settings: AlertSettings) -> str:
    from appliance.alerts.mail import send_mail  # two megabytes, for those who are told by e-mail

    return await send_mail(message, settings)


class Alerts:
    """Both channels. It never holds up anything else: each message goes in a task of its own, one at a time for a channel."""

    def __init__(
        self,
        *,
        memory: AlertMemory,
        configuration: Callable[[], Configuration],
        outlook: Callable[[], Awaitable[Outlook]],
        page: Callable[[], str | None],
        environment: Mapping[str, str],
        clock: Clock,
        new_id: Callable[[Micros], str],
        tasks: Tasks,
    ) -> None:
        self._configuration = configuration
        self._outlook = outlook
        self._page = page
        self._clock = clock
        self._new_id = new_id
        self._tasks = tasks
        self._senders: dict[str, Send] = {
            "email": _send_mail,
            "webhook": partial(send_webhook, environment=environment, now=clock.now),
        }
        self._channels = {
            name: Channel(name, memory=memory, send=self._cleanly(send), compose=self._compose)
            for name, send in self._senders.items()
        }
        self._made_of: dict[str, tuple[Any, ...]] = {}
        self._busy: set[str] = set()
        self._tests: list[Micros] = []

    async def look(self) -> None:
        """One look; costs nothing while nobody is to be told."""
        settings = self._configuration().alerts
        self._follow(settings)
        listening = [channel for name, channel in self._channels.items() if is_set_up(name, settings)]
        for channel in self._channels.values():
            if channel not in listening:
                await channel.forget()
        if not listening:
            return
        outlook, now = await self._outlook(), self._clock.now()
        outlook = replace(outlook, unsure=outlook.unsure | {one.failure for one in self._channels.values() if not one.proved})
        for channel in listening:
            await channel.observe(outlook, settings, now=now)
            said = channel.ripe(settings, now=now, steady=self._clock.steady())
            if said is not None and channel.name not in self._busy:
                self._busy.add(channel.name)
                self._tasks.spawn(self._tell(channel, said, settings), name=f"alert-{channel.name}")

    def needs(self) -> Iterable[Need]:
        """Channels that cannot send just now."""
        for channel in self._channels.values():
            if channel.error:
                yield Need(problem=problem(channel.failure[0], error=channel.error))

    async def test(self, settings: AlertSettings) -> Json:
        """Send a message through every channel of these settings, now: `{channels: [{channel, sent, error}]}`.

        Raises ProblemError: alerts_nowhere, alerts_test_too_soon.
        """
        names = [name for name in self._senders if is_set_up(name, settings)]
        if not names:
            raise ProblemError(problem("alerts_nowhere"))
        self._count_test()
        now = self._clock.now()
        message = trial(origin=self._origin(), message_id=self._new_id(now), at=now)
        return {"channels": [await self._try(name, message, settings) for name in names]}

    def shown(self) -> Json:
        """How the channels fare and what was told last: `{channels: [...], told: [...]}`."""
        settings = self._configuration().alerts
        told = [_told(name, one) for name, channel in self._channels.items() for one in channel.known.values() if one.told_at]
        return {
            "channels": [
                {
                    "channel": name,
                    "set_up": is_set_up(name, settings),
                    "last_sent_at": None if channel.sent_at is None else rfc3339(channel.sent_at),
                    "error": channel.error or None,
                }
                for name, channel in self._channels.items()
            ],
            "told": sorted(told, key=lambda one: str(one["told_at"]), reverse=True)[:SHOWN],
        }

    def _follow(self, settings: AlertSettings) -> None:
        for name, keys in (("email", _EMAIL), ("webhook", _WEBHOOK)):
            made_of = tuple(getattr(settings, key) for key in keys)
            if self._made_of.get(name, made_of) != made_of:
                self._channels[name].begin_anew()
            self._made_of[name] = made_of

    async def _tell(self, channel: Channel, said: Due, settings: AlertSettings) -> None:
        try:
            await channel.tell(said, settings, now=self._clock.now, steady=self._clock.steady)
        finally:
            self._busy.discard(channel.name)

    async def _try(self, name: str, message: Message, settings: AlertSettings) -> Json:
        try:
            error = await self._cleanly(self._senders[name])(message, settings)
        except Unsent as unsent:
            return {"channel": name, "sent": False, "error": unsent.error}
        if settings == self._configuration().alerts:
            self._channels[name].prove()
        return {"channel": name, "sent": True, "error": error or None}

    def _cleanly(self, send: Send) -> Send:
        """Whatever a server answers, no secret of ours gets into what we say of it."""

        async def sent(message: Message, settings: AlertSettings) -> str:
            clean = Redaction.of([*secrets_of(self._configuration()), *secrets_of_alerts(settings)])
            try:
                return clean(await send(message, settings))
            except Unsent as error:
                raise Unsent(clean(error.error), lasting=error.lasting, wait=error.wait) from None

        return sent

    def _count_test(self) -> None:
        now = self._clock.steady()
        self._tests = [at for at in self._tests if now - at < 10 * MINUTE]
        wait = self._tests[-1] + TESTS_APART - now if self._tests else 0
        if len(self._tests) >= MOST_TESTS:
            wait = max(wait, self._tests[0] + 10 * MINUTE - now)
        if wait > 0:
            raise ProblemError(problem("alerts_test_too_soon", seconds=-(-wait // SECOND)))
        self._tests.append(now)

    def _compose(self, said: Due) -> Message:
        now = self._clock.now()
        clean = Redaction.of(secrets_of(self._configuration()))
        said = Due(
            news=[_cleaned(one, clean) for one in said.news],
            again=[_cleaned(one, clean) for one in said.again],
            mended=[_cleaned(one, clean) for one in said.mended],
        )
        return compose(said, origin=self._origin(), message_id=self._new_id(now), at=now)

    def _origin(self) -> Origin:
        return Origin(host=socket.gethostname(), page=self._page(), version=VERSION)


def _cleaned(one: Standing, clean: Redaction) -> Standing:
    return replace(one, text=clean(one.text), mend=clean(one.mend))


def _told(channel: str, one: Standing) -> Json:
    return {
        "channel": channel,
        "code": one.code,
        "count": one.count,
        "text": one.text,
        "touchpoint": one.touchpoint or None,
        "destination": one.destination or None,
        "since": rfc3339(one.since),
        "told_at": rfc3339(one.told_at or one.since),
        "cleared_at": None if one.cleared_at is None else rfc3339(one.cleared_at),
    }
