"""The reference client against a gateway over HTTP: http_client.py MODE URL TOKEN."""

import asyncio
import sys

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

mode, url, token = sys.argv[1:]


async def main() -> None:
    async with create_mcp_http_client(headers={"Authorization": f"Bearer {token}"}) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            assert tools == ["list_directory", "read_file", "write_file", "vak_calculator"], tools

            read = await client.call_tool("read_file", {"path": "notes.txt"})
            assert not read.is_error and read.content[0].text == "Buy milk.", read

            denied = await client.call_tool("delete_file", {"path": "notes.txt"})
            assert denied.is_error and "no policy permits" in denied.content[0].text, denied

            product = await client.call_tool("vak_calculator", {"expression": "6 * 7"})
            assert not product.is_error and product.structured_content == {"value": 42.0}, product
            print("protocol", client.protocol_version)


asyncio.run(main())
