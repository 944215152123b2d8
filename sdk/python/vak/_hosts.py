"""Hosts of either kind, for code that waits in one way."""

from __future__ import annotations

from dataclasses import dataclass

from ._native import AsyncClient, AsyncHost, Client, Host

__all__ = ["Answer", "AnyHost", "aio", "sync"]

#: Whoever decides, however it is waited for.
AnyHost = Host | AsyncHost | Client | AsyncClient


def aio(host: AnyHost) -> AsyncHost | AsyncClient:
    """The same host for event loops."""
    return host.aio if isinstance(host, Host | Client) else host


def sync(host: AnyHost) -> Host | Client:
    """The same host for threads."""
    return host.sync if isinstance(host, AsyncHost | AsyncClient) else host


@dataclass(frozen=True)
class Answer:
    """What a person answered to what was escalated: `by` is who it was, as you vouch
    for it. Nothing that a model says may get here."""

    __module__ = "vak"

    #: Who it was.
    by: str
    approve: bool
    note: str = ""
