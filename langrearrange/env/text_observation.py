"""The `text` observation: the facts of `state` in English lines. Its wording is part of v0."""

from typing import Final

from langrearrange.env.config import EnvConfig
from langrearrange.env.observer import Observation, SymbolicObserver
from langrearrange.env.spaces import MAX_TEXT, InstructionText
from langrearrange.env.state_observation import known_openables, visible_counts
from langrearrange.env.task import STOP, Task
from langrearrange.world import SKILLS
from langrearrange.world.vocabulary import CATEGORIES, NAV_TARGETS, OPENABLES, START, english

_OPENNESS: Final = {1: "open", -1: "closed", 0: "unknown from here"}


class TextObserver(SymbolicObserver):
    """The `text` modality: the field `text`."""

    def __init__(self, config: EnvConfig) -> None:
        self.fields = {"text": InstructionText(MAX_TEXT, newlines=True)}

    def observe(self, row: int, task: Task) -> Observation:
        """Return the text of one env."""
        return {"text": text(task)}


_SKILLS: Final = "\n".join(f"{skill.index}: {skill.name}" for skill in SKILLS)
_STOP: Final = f"\n{STOP}: stop, the task is done"


def facts(task: Task) -> str:
    """Return the observed facts, one a line: task, last outcome, place, hand, things, openables."""
    layout, state = task.layout, task.state
    place = "your start position"
    if state.place != START:
        place = f"the {english(NAV_TARGETS[state.place])}"
    held = "nothing"
    if state.held >= 0:
        held = english(CATEGORIES[layout.categories[state.held]])
    counts = visible_counts(layout, state)
    seen = ", ".join(f"{english(c)} x{n}" for c, n in zip(CATEGORIES, counts, strict=True) if n)
    known = known_openables(layout, state)
    openness = [
        f"{english(name).capitalize()}: {_OPENNESS[value]}."
        for name, value in zip(OPENABLES, known, strict=True)
    ]
    lines = (
        f"Task: {task.episode.instruction}",
        f"Last action: {task.outcome.sentence}",
        f"You are at {place}.",
        f"You hold: {held}.",
        f"Within reach: {seen or 'nothing'}.",
        *openness,
    )
    return "\n".join(lines)


def text(task: Task) -> str:
    """Return the whole observation: the facts and the numbered skills."""
    return f"{facts(task)}\nActions:\n{_SKILLS}{_STOP if task.rules.hard else ''}"
