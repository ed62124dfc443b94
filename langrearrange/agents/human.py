"""A person as an agent: a page in the browser shows what an agent observes and takes skills.

The page is served on 127.0.0.1 under an address with a secret; nothing is loaded from elsewhere.
"""

import io
import json
import queue
import secrets
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Final

from langrearrange.env.observer import Observation
from langrearrange.log import get_logger
from langrearrange.world import ACTION_IDS, ACTION_NAMES, NUM_SKILLS

logger = get_logger(__name__)
MAX_BYTES: Final = 1_000
POLL_S: Final = 20.0


class HumanAgent:
    """A person in front of a browser, who sees pictures and outcomes as an `rgb+feedback` agent.

    `act` returns when the person has chosen; there is no time limit and nothing can be taken back.

    Args:
        hard: whether `stop` is offered.
        show: whether to open the browser; the address is logged in any case.
    """

    modality = "rgb+feedback"
    perception = "human"

    def __init__(self, hard: bool = False, show: bool = True) -> None:
        self._count = NUM_SKILLS + hard
        self._chosen: queue.Queue[int] = queue.Queue()
        self._changed = threading.Condition()
        self._state: dict[str, Any] = dict.fromkeys(("number", "episode", "step"), 0)
        self._state |= {"ready": False, "over": False}
        self._picture = b""
        secret = secrets.token_urlsafe(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, f"/{secret}/"))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/{secret}/"
        logger.warning("play at %s", self.address)
        if show:
            webbrowser.open(self.address)

    def reset(self, instruction: str) -> None:
        """Begin an episode."""
        episode = self._state["episode"] + 1
        self._publish(instruction=instruction, episode=episode, step=-1, ready=False)

    def act(self, observation: Observation) -> int:
        """Show the observation; return the skill that the person chooses."""
        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(observation["rgb"]).save(out, "PNG")
        self._picture = out.getvalue()
        while not self._chosen.empty():
            self._chosen.get()  # clicked twice
        feedback = str(observation["feedback"])
        self._publish(feedback=feedback, step=self._state["step"] + 1, ready=True)
        return self._chosen.get()

    def close(self) -> None:
        """Tell the page that there are no more episodes, and stop serving."""
        self._publish(over=True, ready=False)
        self._server.shutdown()
        self._server.server_close()

    def skills(self) -> list[tuple[int, str, str]]:
        """Return index, id and English name of all skills on offer."""
        return list(zip(range(self._count), ACTION_IDS, ACTION_NAMES, strict=False))

    def state(self, after: int) -> dict[str, Any]:
        """Return what the page shows, as soon as it is newer than `after`, or after a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._state["number"] > after, POLL_S)
            return self._state

    def picture(self) -> bytes:
        """Return the last picture as PNG."""
        return self._picture

    def choose(self, skill: object) -> bool:
        """Take a skill from the page; whether it is one and one is awaited."""
        valid = isinstance(skill, int) and 0 <= skill < self._count and self._state["ready"]
        if valid:
            self._publish(ready=False)
            self._chosen.put(int(skill))  # type: ignore[call-overload]
        return valid

    def _publish(self, **changes: Any) -> None:
        with self._changed:
            self._state = {**self._state, **changes, "number": self._state["number"] + 1}
            self._changed.notify_all()


def _handler(agent: HumanAgent, root: str) -> type[BaseHTTPRequestHandler]:
    page = files("langrearrange.agents").joinpath("human.html").read_bytes()
    listed = json.dumps(agent.skills()).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path == root:
                self._send(page.replace(b"[/*skills*/]", listed), "text/html; charset=utf-8")
            elif path == root + "state" and query.isdecimal():
                self._send(json.dumps(agent.state(int(query))).encode(), "application/json")
            elif path == root + "picture":
                self._send(agent.picture(), "image/png")
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != root + "act" or not length.isdecimal() or int(length) > MAX_BYTES:
                self.send_error(404)
                return
            body = self.rfile.read(int(length))
            taken = body.isdigit() and agent.choose(int(body))
            self._send(json.dumps(taken).encode(), "application/json")

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Do not log requests."""

    return Handler
