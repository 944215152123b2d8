"""AutoGPT Platform: blocks that run only if they are allowed.

>>> block = vak.autogpt.governed(SendEmailBlock(), host, agent="ada")  # doctest: +SKIP

There is no package of AutoGPT to test this with: it follows the shapes that
`components/adapters/autogpt/README.md` names. AutoGPT Classic, its goals and its plans
are asked about with `ask`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from ._asker import Asker
from ._hosts import AnyHost
from ._native import Ingested

__all__ = ["Governed", "ask", "governed"]


class Block(Protocol):
    """What a block of the platform has."""

    id: str
    name: str

    def execute(self, input_data: dict[str, Any], **more: Any) -> AsyncIterator[tuple[str, Any]]: ...


class Governed:
    """A block of which each run is decided. All else is the block's own."""

    def __init__(self, block: Block, asker: Asker, agent: str) -> None:
        self._block = block
        self._asker = asker
        self._agent = agent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._block, name)

    async def execute(self, input_data: dict[str, Any], **more: Any) -> AsyncIterator[tuple[str, Any]]:
        """Runs the block if that is allowed, and yields an `error` if it is not, which
        is how blocks say that they failed."""
        context = {"execution_context": _dumped(more.get("execution_context"))}
        named = {"block": {"id": self._block.id, "name": self._block.name}}
        asked = await self._asker.aask(self._agent, {"event": "block", "input_data": input_data, **named, **context})
        reply = asked.reply
        if reply["action"] == "override":
            input_data = reply["arguments"]
        elif reply["action"] != "allow":
            yield "error", reply["message"]
            return
        output: dict[str, list[Any]] = {}
        try:
            async for name, value in self._block.execute(input_data, **more):
                output.setdefault(name, []).append(value)
                yield name, value
        except Exception as error:
            event = {"event": "block_error", "error": repr(error), **named, **context}
            await self._asker.aend(self._agent, asked, event, failed=True)
            raise
        failed = "error" in output
        event = {"event": "block_result", "output_data": output, **named, **context}
        if failed:
            event = {"event": "block_error", "error": str(output["error"]), **named, **context}
        await self._asker.aend(self._agent, asked, event, failed=failed)


def governed(
    block: Block,
    host: AnyHost,
    *,
    agent: str,
    adapter: str = "autogpt",
    session: str | None = None,
    attributes: dict[str, Any] | None = None,
    labels: tuple[str, ...] = (),
) -> Governed:
    """The same block, of which each run is decided by `host`. If the host can't be
    asked, running it raises."""
    return Governed(block, Asker(host, adapter, session=session, attributes=attributes, labels=labels), agent)


def ask(host: AnyHost, event: dict[str, Any], *, agent: str, adapter: str = "autogpt") -> Ingested:
    """Asks about a goal, a plan or a command of AutoGPT Classic, or tells how a command
    ended: the events are those of `components/adapters/autogpt/README.md`. What is to be
    done upon the answer is in its `reply`."""
    return Asker(host, adapter).ask(agent, event)


def _dumped(context: Any) -> Any:
    return context.model_dump(mode="json") if hasattr(context, "model_dump") else context
