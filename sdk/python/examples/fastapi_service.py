"""A service whose requests are decided: each by a middleware, and one route by what it
is asked for.

Run it with `VAK_CONFIG=vak.toml uvicorn fastapi_service:app`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

import vak
from vak.fastapi import Governed, decided

host = vak.Host(os.environ["VAK_CONFIG"])


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await host.aio.close()


async def who(scope: MutableMapping[str, Any]) -> str:
    """Who asks, as the application knows it: here whom a header names, which a proxy has
    to see to."""
    names = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-agent"]
    return names[0] if len(names) == 1 else "nobody"


app = FastAPI(lifespan=lifespan)
app.add_middleware(Governed, host=host, agent=who, outside=("/health",))


@app.get("/notes/{name}", dependencies=[Depends(decided(host, "notes/read", agent="service"))])
async def note(name: str) -> dict[str, str]:
    return {"name": name, "text": "the text"}


@app.get("/health")
async def health() -> str:
    return "fine"
