"""A local server that speaks the protocol of chat completions, and says what a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RIGHT = "It is \\boxed{4}."

Reply = Callable[[int, str], int | str | bytes | None]
"""From the number of the request and its question to a status, a text, or raw bytes."""


class Server(ThreadingHTTPServer):
    reply: Reply
    asked: list[dict[str, Any]]
    keys: list[str]
    lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """A client that gave up is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append(body)
            self.server.keys.append(self.headers["Authorization"])
            number = len(self.server.asked)
        said = self.server.reply(number, body["messages"][-1]["content"])
        if isinstance(said, int):
            self.respond(said, b'{"error": {"message": "this [bold]is refused"}}')
        elif isinstance(said, bytes):
            self.respond(200, said)
        else:
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny"}
            usage = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
            self.respond(200, json.dumps({**reply, "choices": [choice], "usage": usage}).encode())

    def respond(self, status: int, payload: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


@contextmanager
def endpoint_server() -> Iterator[Server]:
    """A server on a free port; its ``reply`` is for the test to set."""
    server = Server(("127.0.0.1", 0), Handler)
    server.asked, server.keys = [], []
    server.reply = lambda number, question: RIGHT
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
