"""Providers: which kinds of senders there are, and what a touchpoint of each needs."""

from litestar import Controller, get

from touchpoints.provider import Provider, providers
from touchpoints.provider_settings import provider_settings
from web.api.problems import REFUSALS
from web.api.provider_shapes import ProviderList, ProviderShape


class ProvidersController(Controller):
    """The kinds of senders that are known."""

    path = "/api/v1/providers"
    tags = ("touchpoints",)

    @get(summary="All kinds of senders", responses=REFUSALS)
    async def providers(self) -> ProviderList:
        """Their names, and which settings of a touchpoint each has a use for.

        `needs` are keys of `[[touchpoint]]`. `secret` says what its secret is. `covers` says what its proof vouches for: body,
        fields (some of it), checksum (weakly) or nothing. `unsure` names what no document of the provider's own confirmed.
        """
        return {"providers": [_shape(one) for one in providers().values()]}


def _shape(one: Provider) -> ProviderShape:
    return {
        "name": one.name,
        "label": one.label,
        "group": one.group,
        "needs": list(provider_settings(one)),
        "secret": one.secret,
        "covers": one.covers,
        "types": list(one.types),
        "unsure": list(one.unsure),
        "link": one.link,
    }
