"""The OpenEnv server: sessions over `/ws`, tools over `/mcp`, a full MCP server at `/mcp/`.

python -m langrearrange.integrations.openenv_app --port 8000
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI
from openenv.core.env_server.http_server import create_app

from langrearrange.integrations.mcp import MAX_SESSIONS, Sessions, make_server
from langrearrange.integrations.openenv import (
    REWARDS,
    RearrangeAction,
    RearrangeEnvironment,
    RearrangeObservation,
)
from langrearrange.world.vocabulary import SPLITS


def make_app(split: str = "train", reward: str = "success") -> FastAPI:
    """Return the server: OpenEnv's routes, and an MCP server for any MCP client at `/mcp/`.

    Args:
        split: of a session's `reset` without one.
        reward: see `RearrangeEnvironment`.
    """
    app = create_app(
        partial(RearrangeEnvironment, split, reward),
        RearrangeAction,
        RearrangeObservation,
        env_name="langrearrange",
        max_concurrent_envs=MAX_SESSIONS,
    )
    tools = make_server(Sessions()).http_app(path="/")
    app.mount("/mcp", tools)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with inner(running), tools.lifespan(tools):
            yield

    app.router.lifespan_context = lifespan
    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--split", default="train", choices=SPLITS)
    parser.add_argument("--reward", default="success", choices=REWARDS)
    given = parser.parse_args()
    uvicorn.run(make_app(given.split, given.reward), host=given.host, port=given.port)


if __name__ == "__main__":
    main()
