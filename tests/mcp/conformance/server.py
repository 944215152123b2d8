"""What the conformance suite wants a server to have, on standard input and output. Uses the standard library only."""

import json
import sys
import time

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

TEXT = {"type": "text", "text": "This is a simple text response for testing."}
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV, "mimeType": "audio/wav"}


def embedded(uri="test://embedded-resource", text="This is an embedded resource content."):
    return {"type": "resource", "resource": {"uri": uri, "mimeType": "text/plain", "text": text}}


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}

TOOLS = {
    "test_simple_text": {"content": [TEXT]},
    "test_image_content": {"content": [IMAGE]},
    "test_audio_content": {"content": [AUDIO]},
    "test_embedded_resource": {"content": [embedded()]},
    "test_multiple_content_types": {
        "content": [{"type": "text", "text": "Multiple content types test:"}, IMAGE, embedded("test://mixed", "{}")]
    },
    "test_error_handling": {
        "content": [{"type": "text", "text": "This tool intentionally returns an error for testing"}],
        "isError": True,
    },
    "test_tool_with_progress": {"content": [{"type": "text", "text": "Done."}]},
    "test_tool_with_logging": {"content": [{"type": "text", "text": "Done."}]},
    "json_schema_2020_12_tool": {"content": [TEXT]},
}


def tool(name):
    schema = SCHEMA if name == "json_schema_2020_12_tool" else {"type": "object", "properties": {}}
    return {"name": name, "description": f"For the test `{name}`.", "inputSchema": schema}


def resource(uri, name, kind):
    return {"uri": uri, "name": name, "description": f"For tests: {name}.", "mimeType": kind}


def read(uri):
    if uri == "test://static-text":
        return {"uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource."}
    if uri == "test://static-binary":
        return {"uri": uri, "mimeType": "image/png", "blob": PNG}
    if uri.startswith("test://template/"):
        id = uri.split("/")[3]
        text = json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})
        return {"uri": uri, "mimeType": "application/json", "text": text}


def prompt(name, *arguments):
    arguments = [{"name": argument, "description": "For tests.", "required": True} for argument in arguments]
    return {"name": name, "description": f"For the test `{name}`.", "arguments": arguments}


PROMPTS = [
    prompt("test_simple_prompt"),
    prompt("test_prompt_with_arguments", "arg1", "arg2"),
    prompt("test_prompt_with_embedded_resource", "resourceUri"),
    prompt("test_prompt_with_image"),
]


def filled(name, given):
    text = {"type": "text", "text": "This is a simple prompt for testing."}
    if name == "test_prompt_with_arguments":
        text = {"type": "text", "text": "Prompt with arguments: arg1='%(arg1)s', arg2='%(arg2)s'" % given}
    contents = [text]
    if name == "test_prompt_with_embedded_resource":
        contents = [embedded(given["resourceUri"]), text]
    if name == "test_prompt_with_image":
        contents = [IMAGE, text]
    return {"messages": [{"role": "user", "content": content} for content in contents]}


def out(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def answer(method, params):
    if method == "initialize":
        capabilities = {"tools": {}, "resources": {}, "prompts": {}}
        server = {"name": "conformance", "version": "1"}
        return {"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": server}
    if method == "tools/list":
        return {"tools": [tool(name) for name in TOOLS]}
    if method == "tools/call" and params["name"] in TOOLS:
        token = params.get("_meta", {}).get("progressToken")
        if params["name"] == "test_tool_with_progress" and token is not None:
            for done in (0, 50, 100):
                progress = {"progressToken": token, "progress": done, "total": 100}
                out({"method": "notifications/progress", "params": progress})
                # People do not see more than ten a second, and the gateway passes on no more.
                time.sleep(0.15)
        return TOOLS[params["name"]]
    if method == "resources/list":
        return {
            "resources": [
                resource("test://static-text", "static text", "text/plain"),
                resource("test://static-binary", "static binary", "image/png"),
            ]
        }
    if method == "resources/templates/list":
        template = {"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"}
        return {"resourceTemplates": [template]}
    if method == "resources/read" and (contents := read(params["uri"])):
        return {"contents": [contents]}
    if method == "prompts/list":
        return {"prompts": PROMPTS}
    if method == "prompts/get":
        return filled(params["name"], params.get("arguments") or {})


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        continue
    result = answer(message["method"], message.get("params") or {})
    if result is None:
        out({"id": message["id"], "error": {"code": -32601, "message": "no such thing"}})
    else:
        out({"id": message["id"], "result": result})
