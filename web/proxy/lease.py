"""The lease of an agent that was revoked: given back at once, so that nobody waits a minute for it to run out."""

from web.proxy.hub import Hub


async def free_lease(hub: Hub, organisation: int) -> None:
    """Free the organisation's lease where a revoked agent holds it, and wake who waits. Raises StoreUnavailable."""
    queue = hub.queue()
    if queue is not None:
        lease = await queue.lease_of(organisation, now=hub.steady())
        holder = hub.agent(lease.agent)
        if lease.agent and (holder is None or holder.state == "revoked"):
            await queue.release(organisation, lease.agent, epoch=lease.epoch)
    hub.bells.call(organisation)
