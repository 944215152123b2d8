"""A model that follows a script: the part of the Messages API that Claude Code asks
for, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools import Call


class Model:
    """Makes the calls of each turn, and keeps what it was told of each."""

    def __init__(self, turns: Sequence[Sequence[Call]], tool_name: str) -> None:
        self._turns = [[self._use(call, tool_name) for call in turn] for turn in turns]
        self.told: dict[str, str] = {}
        #: What was asked that a model does not answer.
        self.strange: list[str] = []
        self._lock = threading.Lock()
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                if not self.path.startswith("/v1/messages"):
                    model.strange.append(self.path)
                    self.send_error(404)
                    return
                events = model._answer(json.loads(body)).encode()
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("content-length", str(len(events)))
                self.end_headers()
                self.wfile.write(events)

            def do_HEAD(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def _use(call: Call, tool_name: str) -> dict[str, Any]:
        return {"type": "tool_use", "id": call.id, "name": tool_name.format(call.tool), "input": call.arguments}

    def _answer(self, asked: dict[str, Any]) -> str:
        with self._lock:
            for part in asked["messages"][-1]["content"]:
                if isinstance(part, dict) and part.get("type") == "tool_result":
                    # Behind it the program may have a word of its own.
                    told, _, _ = _text(part["content"]).partition("\n<system-reminder>")
                    self.told[part["tool_use_id"]] = told.strip()
            # It has the model think of a title and the like.
            turn = self._turns.pop(0) if asked.get("tools") and self._turns else []
        content = turn or [{"type": "text", "text": "done"}]
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage,
        }
        events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
        for index, block in enumerate(content):
            if block["type"] == "text":
                start, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
            else:
                start = {**block, "input": {}}
                delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            events.append({"type": "content_block_start", "index": index, "content_block": start})
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
            events.append({"type": "content_block_stop", "index": index})
        ended = {"stop_reason": "tool_use" if turn else "end_turn", "stop_sequence": None}
        events.append({"type": "message_delta", "delta": ended, "usage": usage})
        events.append({"type": "message_stop"})
        return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
