"""A server of the reference implementation over HTTP: server.py. Prints its address."""

import socket

import uvicorn
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("reference")


@server.tool()
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("as it should")


@server.tool()
def revision(ctx: Context) -> str:
    """Says which revision of the protocol is spoken."""
    return str(ctx.request_context.protocol_version)


@server.resource("notes://{name}")
def note(name: str) -> str:
    """A note."""
    return f"The note {name}."


@server.resource("notes://today")
def today() -> str:
    """The note of today."""
    return "Buy milk."


@server.prompt()
def greet(name: str) -> str:
    """Greets."""
    return f"Greet {name}."


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("http://127.0.0.1:%d/mcp" % listener.getsockname()[1], flush=True)
config = uvicorn.Config(server.streamable_http_app(), log_level="error")
uvicorn.Server(config).run(sockets=[listener])
