"""Writes text_observation.txt: the `text` observation at chosen moments. Run by `make golden`."""

from __future__ import annotations

from pathlib import Path

from langrearrange.env import STOP, Rules, Task, text
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index

PATH = Path(__file__).with_name("text_observation.txt")
MOMENTS = (
    (2, "nav(fridge_handle)"),
    (2, "pick(lemon)"),
    (2, "open(fridge)"),
    (2, "pick(lemon)"),
    (2, "nav(middle_drawer_handle)"),
    (2, "place(sofa)"),
    (5, "nav(chair)"),
    (5, "pick(cup)"),
    (5, "nav(sink)"),
    (5, "place(sink)"),
)


def golden_text() -> str:
    """Return what the file should hold: a first text, one after each skill, those of a hard env."""
    episodes = toy_episodes()
    tasks = {index: Task(episodes[index]) for index, _ in MOMENTS}
    parts = [text(tasks[2])]
    for index, skill in MOMENTS:
        tasks[index].step(skill_index(skill))
        parts.append(f"[{skill}]\n{text(tasks[index])}")
    hard = Task(episodes[0], Rules(hard=True, horizon=1))
    parts.append(text(hard))
    hard.step(STOP)
    parts.append(f"[stop]\n{text(hard)}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PATH.write_text(golden_text(), encoding="ascii")
