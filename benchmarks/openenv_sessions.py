"""64 OpenEnv sessions at a time, 1,000 episodes: steps per second, and whether memory stays flat.

    python benchmarks/openenv_sessions.py [--sessions 64] [--episodes 1000] [--split train]

Needs the extra `openenv`; `make test-integrations` runs it on a small number. The server is a
process of its own; each session is a socket that plays episode after episode with a fixed cycle of
actions. Fails if the server's memory grows by more
than 10 % over the second half of the episodes.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from websockets.asyncio.client import connect

MAX_GROWTH = 0.1


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def play(url: str, split: str, left: list[int], ended: list[int], size: int) -> int:
    """Play episodes on one session until none is left; returns the steps taken."""
    steps = 0
    async with connect(url, open_timeout=120) as wire:

        async def ask(kind: str, **data: object) -> dict:
            await wire.send(json.dumps({"type": kind, "data": data}))
            answer = json.loads(await wire.recv())
            assert answer["type"] != "error", answer
            return answer["data"]

        while left:
            index = left.pop()
            seen = await ask("reset", split=split, index=index % size)
            while not seen["done"]:
                seen = await ask("step", action=str((index + 3 * steps) % 70))
                steps += 1
            ended.append(index)
    return steps


async def measure(url: str, pid: int, given: argparse.Namespace) -> None:
    """Play all episodes and print one line for each tenth of them, then the result."""
    left, ended = list(range(given.episodes)), []
    players = [
        asyncio.create_task(play(url, given.split, left, ended, given.size))
        for _ in range(given.sessions)
    ]
    started, memory = time.perf_counter(), []
    while not all(player.done() for player in players):
        await asyncio.sleep(0.2)
        while len(ended) >= given.episodes * (len(memory) + 1) / 10:
            memory.append(memory_mb(pid))
            print(f"{len(ended):5d} episodes: server {memory[-1]:.0f} MB", flush=True)
    steps, wall = sum([player.result() for player in players]), time.perf_counter() - started
    growth = memory[-1] / memory[len(memory) // 2] - 1
    print(
        f"{len(ended)} episodes, {given.sessions} sessions: {steps / wall:.0f} steps/s (wall), "
        f"memory {growth:+.1%} over the second half"
    )
    assert len(ended) == given.episodes
    assert growth <= MAX_GROWTH


def main() -> None:
    """Start a server, measure, end the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--split", default="train")
    given = parser.parse_args()
    from langrearrange.integrations.dialogue import num_episodes

    given.size = num_episodes(given.split)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    module = "langrearrange.integrations.openenv_app"
    command = [sys.executable, "-m", module, "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        asyncio.run(measure(f"ws://127.0.0.1:{port}/ws", server.pid, given))
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
