"""Keyed mutations of bytes, of JSON values and of YAML lines: the same key, the same mutant."""

from __future__ import annotations

import copy
import json
import random
from typing import Any, Final

TEXTS: Final = (
    "", "x", "\0", "a\0b", "../../etc/passwd", "/dev/zero", "\x1b[31m", "\u202e", "\u200b",
    "\uff18", "8", "-1", "true", "null", "x" * 5_000, "9" * 5_000, "os:system", "zzz", "(" * 500,
    "train", "train/000000", "train/00000\uff10", "train/000001#9999999999999999999",
    "(and " * 60 + ")" * 60, "(exists (?x - apple) (on_top ?x sofa))", "delivered(apple,sofa,0)",
    "nav(sofa)", "place(sofa)", "held(apple,sofa," + "9" * 5_000 + ")", "fridge", "flat_0_00",
)  # fmt: skip
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 33, 64, 2**31, 2**63 - 1, 2**63, 2**64, -(2**70), 0.5, -0.0,
    1e308, -1e308, [], {}, [[]], [None] * 100, [0] * 5_000, {"x": {}}, *TEXTS,
)  # fmt: skip
RAW: Final = {
    "@deep list@": b"[" * 20_000,
    "@deep map@": b'{"a":' * 20_000,
    "@closed@": b"[" * 2_000 + b"]" * 2_000,
    "@digits@": b"9" * 5_000,
    "@exponent@": b"1e999",
    "@nan@": b"NaN",
    "@surrogate@": rb'"\ud800"',
    "@bytes@": b'"\xff\xfe"',
}
"""What no JSON value of Python gives, by the text that stands for it until it is written."""


def mutated_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one to four faults: flips, cuts, repeats, insertions."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(found) + 1)
        to = min(len(found), at + rng.choice((1, 2, 8, 100)))
        match rng.randrange(6):
            case 0 | 1 if at < len(found):
                found[at] = rng.choice((rng.randrange(256), found[at] ^ 1 << rng.randrange(8)))
            case 2:
                del found[at:to]
            case 3:
                found[at:at] = found[at:to] * rng.choice((1, 30))
            case 4:
                found[at:at] = rng.choice((b"\0", b"\xff", b"9" * 50, b"[" * 50, rng.randbytes(8)))
            case 5 if rng.random() < 0.2:
                del found[at:]
    return bytes(found)


def mutated_json(value: Any, rng: random.Random) -> bytes:
    """Return JSON of a mutant of the value; also JSON that Python would not write."""
    data = json.dumps(mutated(value, rng), ensure_ascii=False, separators=(",", ":")).encode()
    for name, raw in RAW.items():
        data = data.replace(b'"' + name.encode() + b'"', raw)
    return data


def mutated(value: Any, rng: random.Random) -> Any:
    """Return a copy with one to three nodes replaced, removed, added or exchanged."""
    holder = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        _mutate(holder, rng)
    return holder[0]


def mutated_lines(text: str, rng: random.Random) -> bytes:
    """Return YAML with lines lost, repeated, moved or indented, words exchanged, or bytes hurt."""
    lines = text.splitlines()
    for _ in range(rng.randint(1, 3)):
        here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
        line = lines[here]
        match rng.randrange(8):
            case 0 if len(lines) > 1:
                del lines[here]
            case 1:
                lines.insert(there, line)
            case 2:
                lines[here], lines[there] = lines[there], line
            case 3:
                lines[here] = " " * rng.randrange(9) + line.lstrip()
            case 4:
                head, colon, _ = line.partition(": ")
                lines[here] = f"{head}{colon}{_scalar(rng)}"
            case 5:
                words = line.split(" ")
                words[rng.randrange(len(words))] = rng.choice((*lines[there].split(" "), "{x}"))
                lines[here] = " ".join(words)
            case 6:
                lines[here] = line + rng.choice(
                    ("#", ": ", " - ", "{", "[", '"', "&a", "*a", "!!x")
                )
            case 7:
                return mutated_bytes("\n".join(lines).encode(), rng)
    return "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")


def _scalar(rng: random.Random) -> str:
    value = rng.choice(VALUES)
    return rng.choice((str(value), json.dumps(value), json.dumps("\ud800")))


def _mutate(holder: list[Any], rng: random.Random) -> None:
    places = list(_places(holder))
    parent, key = rng.choice(places)
    match rng.randrange(8):
        case 0 | 1 | 2:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        case 3:
            parent[key] = rng.choice(list(RAW))
        case 4:
            other, name = rng.choice(places)
            parent[key] = copy.deepcopy(other[name])
        case 5 if parent is not holder:
            del parent[key]
        case 6 if isinstance(parent[key], int | float) and parent[key] is not True:
            parent[key] += rng.choice((-1, 1, 0.5, 10**6, -(10**6)))
        case 7 if isinstance(parent[key], list) and parent[key]:
            parent[key] *= rng.choice((0, 2, 70))
        case 7 if isinstance(parent[key], dict):
            parent[key][rng.choice(TEXTS)] = copy.deepcopy(rng.choice(VALUES))


def _places(value: Any) -> Any:
    """Yield (list or dict, index or key) of every node below a value."""
    for key in range(len(value)) if isinstance(value, list) else list(value):
        yield value, key
        if isinstance(value[key], list | dict):
            yield from _places(value[key])
