"""Claude Agent SDK: tools that are used only if that is allowed.

>>> from claude_agent_sdk import ClaudeAgentOptions  # doctest: +SKIP
>>> options = ClaudeAgentOptions(hooks=vak.claude_agent.hooks(host, agent="ada"))  # doctest: +SKIP
"""

from __future__ import annotations

import logging
from typing import Any

from claude_agent_sdk import HookContext, HookInput, HookJSONOutput, HookMatcher
from claude_agent_sdk.types import HookEvent

from ._asker import Asker
from ._errors import VakError
from ._hosts import AnyHost
from ._native import Ingested

__all__ = ["hooks"]

_log = logging.getLogger("vak")


def hooks(
    host: AnyHost,
    *,
    agent: str,
    adapter: str = "claude-code",
    session: str | None = None,
    attributes: dict[str, Any] | None = None,
    labels: tuple[str, ...] = (),
    timeout_s: float = 60.0,
) -> dict[HookEvent, list[HookMatcher]]:
    """Hooks that have every use of a tool decided by `host`, and tell how it ended.

    What is denied is not used, and Claude reads why; what is allowed goes through the
    permissions of Claude Code still. What can't be decided is denied, and so is what
    takes longer than `timeout_s`. If the end of a tool can't be recorded the run ends.
    """
    asker = Asker(host, adapter, session=session, attributes=attributes, labels=labels)
    # Of what is allowed, until it has ended.
    open_: dict[str, Ingested] = {}

    async def before(event: HookInput, call: str | None, _context: HookContext) -> HookJSONOutput:
        try:
            asked = await asker.aask(agent, {**event})
        except VakError as error:
            return _denied(f"it could not be decided: {error}")
        if call is not None and any(decision is not None and decision.allowed for decision in asked.decisions):
            open_[call] = asked
        reply: HookJSONOutput = asked.reply
        return reply

    async def after(event: HookInput, call: str | None, _context: HookContext) -> HookJSONOutput:
        asked = open_.pop(call or "", None)
        try:
            if asked is not None:
                failed = event["hook_event_name"] == "PostToolUseFailure"
                await asker.aend(agent, asked, {**event}, failed=failed)
        except VakError as error:
            # What can't be accounted for is not gone on with.
            _log.error("how a tool ended could not be recorded: %s", error)
            return {"continue_": False, "stopReason": "how a tool ended could not be recorded"}
        return {}

    return {
        # A hook that fails or takes too long blocks, where Claude Code knows that.
        "PreToolUse": [HookMatcher(hooks=[before], timeout=timeout_s, on_failure="block")],
        "PostToolUse": [HookMatcher(hooks=[after], timeout=timeout_s)],
        "PostToolUseFailure": [HookMatcher(hooks=[after], timeout=timeout_s)],
    }


def _denied(why: str) -> HookJSONOutput:
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": why,
        }
    }
