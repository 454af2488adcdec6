"""The present: what runs now, and what is looked up by it at every request."""

from appliance.endpoints import directory_of
from store.settings import Configuration, shares
from web.listener.budget import Budget
from web.listener.endpoint import Directory
from web.listener.proxies import TrustedProxies


class Present:
    """Snapshots of one configuration, replaced together, so that nobody sees half a change."""

    def __init__(self) -> None:
        self.configuration = Configuration()
        self.directory = Directory(endpoints={})
        self.trusted = TrustedProxies()
        # Apart, so that no sender, however slow, can keep deliveries from the memory they need.
        self.arriving, self.leaving = (Budget(size) for size in shares(self.configuration.limits.buffers))

    def adopt(self, configuration: Configuration) -> None:
        """From now on this one runs."""
        self.configuration = configuration
        self.directory = directory_of(configuration)
        self.trusted = TrustedProxies(configuration.agent.trusted_proxies)
        for budget, size in zip((self.arriving, self.leaving), shares(configuration.limits.buffers), strict=True):
            budget.resize(size)

    def trusts(self, address: str) -> bool:
        """Whether an address is a trusted proxy's."""
        return self.trusted.trusts(address)
