"""A Python agent without langrearrange: standard library only, modality rgb with raw pictures.

Speaks protocol 1 of docs/protocol.md.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

stdin, stdout = sys.stdin.buffer, sys.stdout


def say(**message: Any) -> None:
    stdout.write(json.dumps(message) + "\n")
    stdout.flush()


def pictures(observation: dict[str, Any]) -> Iterator[tuple[str, list[int], bytes]]:
    """Read the bytes that follow the line, one large array after the other."""
    for name, value in observation.items():
        if isinstance(value, dict):
            yield name, value["shape"], stdin.read(value["bytes"])


def brightest_third(pixels: bytes, height: int, width: int) -> int:
    """Which third of the picture is brightest: 0 left, 1 middle, 2 right."""
    row = pixels[3 * width * (height // 2) : 3 * width * (height // 2 + 1)]
    thirds = [sum(row[i * width : (i + 1) * width]) for i in range(3)]
    return thirds.index(max(thirds))


step = 0
for line in iter(stdin.readline, b""):
    message = json.loads(line)
    if message["type"] == "hello":
        say(type="hello", protocol=1, modality="rgb", name="agent.py")
    elif message["type"] == "reset":
        step = 0
        say(type="ready")
    elif message["type"] == "act":
        seen = {name: (shape, data) for name, shape, data in pictures(message["observation"])}
        (height, width, _), data = seen["rgb"]
        step += 1
        say(type="act", skill=5 + (3 * step + brightest_third(data, height, width)) % 11)
    elif message["type"] == "bye":
        break
