"""Write the golden episodes: the first of every template of every split. Read the diff by eye.

Run it by `make golden`, and commit the result alone with the reason: published episodes changed.
"""

from __future__ import annotations

from pathlib import Path

from langrearrange.dataset import encode_episode
from langrearrange.generator import PUBLISHED, load_spec, make_episode
from langrearrange.generator.blueprint import blueprint_of

GOLDEN = Path(__file__).with_name("generator_episodes.jsonl")


def golden_lines() -> list[bytes]:
    """Return one line a template, and one more for a variant of each split's first episode."""
    lines = []
    for name in PUBLISHED:
        if name != "train_mini":  # a view of train
            spec = load_spec(name)
            order = blueprint_of(spec).order
            indices = [order.index(number, 0) for number in range(len(order.templates))]
            lines += [encode_episode(make_episode(spec, index)) for index in indices]
            lines.append(encode_episode(make_episode(spec, 0, variant=1)))
    return lines


if __name__ == "__main__":
    GOLDEN.write_bytes(b"".join(golden_lines()))
