"""An MCP server: any client plays by two tools, `begin` and `act`; a session is a household.

python -m langrearrange.integrations.mcp                          # stdio
python -m langrearrange.integrations.mcp --http --port 8000       # http://127.0.0.1:8000/mcp
"""

from __future__ import annotations

import argparse
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_context
from pydantic import Field

from langrearrange.errors import ActionError
from langrearrange.integrations.dialogue import Dialogue, system_prompt

MAX_SESSIONS: Final = 64
"""Sessions that a server keeps; the one that was idle longest is forgotten first."""
_CALL: Final = "Call begin once, then act with one action at a time."


def make_server(dialogue_of: Callable[[], Dialogue]) -> FastMCP:
    """Return a server with the tools `begin` and `act`.

    Args:
        dialogue_of: returns the dialogue of the session that calls.
    """
    server: FastMCP = FastMCP("langrearrange", instructions=system_prompt(_CALL))

    @server.tool
    def begin(
        split: Annotated[str, Field(description="whose episodes are played")] = "validation",
        index: Annotated[int | None, Field(description="position; none for the next")] = None,
    ) -> str:
        """Begin an episode and return the first observation: task, rules and what is seen."""
        return str(dialogue_of().reset(split, index)["text"])

    @server.tool
    def act(
        action: Annotated[str, Field(description="number, id (`nav(sofa)`) or English name")],
    ) -> str:
        """Take an action and return the observation; its last line says when the episode ends."""
        dialogue = dialogue_of()
        ended = dialogue.over
        if ended:
            return "The episode has ended; call begin for another one."
        try:
            text = str(dialogue.step(action)[0]["text"])
        except ActionError as error:
            text = str(error)
        if not dialogue.over:
            return text
        return f"{text}\nThe episode has ended: {'success' if dialogue.succeeded else 'failure'}."

    return server


class Sessions:
    """Keeps one dialogue for each session of a server."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Dialogue] = OrderedDict()

    def __call__(self) -> Dialogue:
        """Return the dialogue of the session that calls; it begins on `validation`."""
        name = str(get_context().session_id)
        dialogue = self._open.pop(name, None)
        if dialogue is None:
            dialogue = Dialogue(split="validation", observation="text")
            dialogue.reset()
        self._open[name] = dialogue
        while len(self._open) > MAX_SESSIONS:
            self._open.popitem(last=False)[1].env.close()
        return dialogue


def main() -> None:
    """Serve on stdio or HTTP until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", action="store_true", help="serve on HTTP instead of stdio")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    server = make_server(Sessions())
    if arguments.http:
        server.run(transport="http", port=arguments.port)
    else:
        server.run(show_banner=False)


if __name__ == "__main__":
    main()
