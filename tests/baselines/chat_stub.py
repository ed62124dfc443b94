"""A chat server for tests: OpenAI's /chat/completions by the standard library alone.

`python chat_stub.py PORT` serves a model that goes to places at random; docs/chat.md is tried so.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLACES = ("fridge", "sofa", "sink", "chair", "black table", "brown table", "left counter")
Answer = str | dict[str, Any] | tuple[int, dict[str, Any]] | bytes
"""A text, a whole completion, a status with a body, or raw bytes of a body."""


def completion(text: str, finish: str = "stop", **more: Any) -> dict[str, Any]:
    """Return a completion as servers send it; 10 tokens for each prompt and 5 for each answer."""
    choice = {"index": 0, "finish_reason": finish, "logprobs": None, **more}
    choice["message"] = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    head = {"id": "x", "object": "chat.completion", "created": 0, "model": "stub"}
    return {**head, "choices": [choice], "usage": usage}


def wander(request: dict[str, Any]) -> Answer:
    """Answer as the designs ask for: a skill, a plan, or a number with log-probabilities."""
    place = PLACES[len(request["messages"]) % len(PLACES)]
    if request.get("logprobs"):
        top = [{"token": "12", "logprob": -0.1, "bytes": None, "top_logprobs": []}]
        at = {"token": "12", "logprob": -0.1, "bytes": None, "top_logprobs": top}
        return completion("12", logprobs={"content": [at], "refusal": None})
    if "whole plan" in str(request["messages"][0]["content"]):
        return "go to the fridge\nopen the fridge\ngo to the sofa\nput it down at the sofa"
    return f"I try the {place}.\nAction: go to the {place}"


class Stub(ThreadingHTTPServer):
    """The server; `requests` and `headers` keep what was sent to it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[dict[str, Any]], Answer], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.answer = answer
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.open = self.most_open = 0
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent: a client that gives up closes its connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub

    def log_message(self, *args: Any) -> None:
        """Be silent."""

    def do_POST(self) -> None:
        stub = self.server
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with stub.lock:
            stub.requests.append(request)
            stub.keys.add(re.sub("^Bearer ", "", self.headers.get("Authorization", "")))
            stub.open += 1
            stub.most_open = max(stub.most_open, stub.open)
        answer = stub.answer(request)
        with stub.lock:
            stub.open -= 1
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        if isinstance(body, str):
            body = completion(body)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Answer] = wander) -> Iterator[Stub]:
    """Serve on a free port for a while."""
    stub = Stub(answer)
    thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        thread.join()
        stub.server_close()


if __name__ == "__main__":
    Stub(wander, int(sys.argv[1])).serve_forever()
