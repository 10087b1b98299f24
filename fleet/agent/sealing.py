"""Requests of this agent as its hub believes them: signed, within the hub's session, each once."""

from fleet.agent import state
from fleet.protocol import requests


async def sealed(agent: state.Agent, message: requests.Message) -> bytes:
    """A request that the hub believes once. The hub's session is asked for when it is not known."""
    async with agent.asking:
        if not agent.session:
            agent.session = await agent.link.session()
        # By the clock, so that it goes on growing when this process begins anew within a session of the hub.
        agent.counter = max(agent.counter + 1, int(agent.clock.now().timestamp() * 1000))
        return requests.seal(message, session=agent.session, counter=agent.counter, key=agent.key)
