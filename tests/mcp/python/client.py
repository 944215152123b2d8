"""The reference client against a gateway: client.py MODE FOLDER COMMAND..."""

import asyncio
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters, stdio_client

mode, folder, command, *arguments = sys.argv[1:]
notes = str(Path(folder) / "notes.txt")


async def main() -> None:
    server = stdio_client(StdioServerParameters(command=command, args=arguments))
    async with Client(server, mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert {"read_text_file", "vak_calculator"} <= set(tools), tools
        # Forbidden whatever its arguments: not listed, and denied below all the same.
        assert "write_file" not in tools, tools

        read = await client.call_tool("read_text_file", {"path": notes})
        assert not read.is_error and read.content[0].text == "Buy milk.", read

        written = await client.call_tool("write_file", {"path": notes, "content": "x"})
        assert written.is_error, written
        assert "rule `read-only`: look, but do not touch" in written.content[0].text, written

        product = await client.call_tool("vak_calculator", {"expression": "6 * 7"})
        assert not product.is_error and product.structured_content == {"value": 42.0}, product
        print("protocol", client.protocol_version)


asyncio.run(main())
