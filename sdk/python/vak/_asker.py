"""What all frameworks have in common: a message is asked of the host, and how it
ended is told in another."""

from __future__ import annotations

from typing import Any

from . import _hosts
from ._errors import ArgumentError, MessageError
from ._native import AsyncDecision, AsyncHost, Decision, Host, Ingested

__all__ = ["Asker"]

_NOT_OURS = "a server takes an answer from the person's own token, and not from the agent's application"


class Asker:
    """A host, and the adapter that understands the framework."""

    def __init__(
        self,
        host: _hosts.AnyHost,
        adapter: str,
        *,
        session: str | None = None,
        attributes: dict[str, Any] | None = None,
        labels: tuple[str, ...] = (),
    ) -> None:
        self._host = host
        self._adapter = adapter
        self._more: dict[str, Any] = {"session": session, "attributes": attributes, "labels": labels}

    def ask(self, agent: str, event: dict[str, Any]) -> Ingested:
        """What the framework is to be told."""
        return _hosts.sync(self._host).ingest(self._adapter, agent, event, **self._more)

    async def aask(self, agent: str, event: dict[str, Any]) -> Ingested:
        """The same, awaited."""
        asked: Ingested = await _hosts.aio(self._host).ingest(self._adapter, agent, event, **self._more)
        return asked

    def end(self, agent: str, asked: Ingested, event: dict[str, Any], *, failed: bool) -> None:
        """Tells how the one action that was asked for has ended: as the framework says
        it, or in a word where that can't be told. What the operator lets pass has no
        end."""
        (decision,) = asked.decisions
        if not isinstance(decision, Decision):
            return
        try:
            if self.ask(agent, event).ended:
                return
        except (ArgumentError, MessageError):
            pass
        (decision.failed if failed else decision.succeeded)()

    async def aend(self, agent: str, asked: Ingested, event: dict[str, Any], *, failed: bool) -> None:
        """The same, awaited."""
        (decision,) = asked.decisions
        if not isinstance(decision, AsyncDecision):
            return
        try:
            if (await self.aask(agent, event)).ended:
                return
        except (ArgumentError, MessageError):
            pass
        await (decision.failed if failed else decision.succeeded)()

    def answer(self, seq: int, answer: _hosts.Answer) -> None:
        """Records what a person answered, where the host is in this process."""
        host = _hosts.sync(self._host)
        if not isinstance(host, Host):
            raise TypeError(_NOT_OURS)
        (host.approve if answer.approve else host.reject)(seq, by=answer.by, note=answer.note)

    async def aanswer(self, seq: int, answer: _hosts.Answer) -> None:
        """The same, awaited."""
        host = _hosts.aio(self._host)
        if not isinstance(host, AsyncHost):
            raise TypeError(_NOT_OURS)
        await (host.approve if answer.approve else host.reject)(seq, by=answer.by, note=answer.note)
