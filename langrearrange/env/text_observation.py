"""The `text` observation: the facts of `state` in English. Its wording is part of v0.

The first observation of an episode has rules and task, each later one what the last action did and
what is seen, at most 400 characters (with 32 steps). Made of nothing but what `state` shows, the
actions and the number of steps.
"""

from functools import cache, lru_cache
from itertools import chain
from typing import Final

from langrearrange.env.config import EnvConfig
from langrearrange.env.observer import Observation, SymbolicObserver
from langrearrange.env.spaces import MAX_TEXT, InstructionText
from langrearrange.env.state_observation import known_openables, visible_counts
from langrearrange.env.task import Rules, Task
from langrearrange.world import KINDS, Outcome, Semantics
from langrearrange.world.fixtures import FIXTURES
from langrearrange.world.vocabulary import (
    CATEGORIES,
    HANDLES,
    NAV_TARGETS,
    OPENABLES,
    PREPOSITIONS,
    RECEPTACLE_INDEX,
    START,
    english,
    spot_of,
)
from langrearrange.world.wording import counted, listed, told

MAX_TURN: Final = 400
"""Characters of a text after the first, in an episode of 32 steps."""


class TextObserver(SymbolicObserver):
    """The `text` modality: the field `text`."""

    def __init__(self, config: EnvConfig) -> None:
        self.fields = {"text": InstructionText(MAX_TEXT, newlines=True)}

    def observe(self, row: int, task: Task) -> Observation:
        """Return the text of one env."""
        return {"text": text(task)}


def text(task: Task) -> str:
    """Return the whole observation: with rules and task at the start, else `turn`."""
    if task.steps:
        return turn(task)
    return f"{rules_text(task.rules)}\n\nTask: {task.episode.instruction}\n{turn(task)}"


def turn(task: Task) -> str:
    """Return what the last action did and what is seen now, in two lines."""
    layout, state = task.layout, task.state
    known = known_openables(layout, state)
    held = layout.categories[state.held] if state.held >= 0 else -1
    seen = _scene(state.place, bytes(visible_counts(layout, state)), known, held)
    return f"{feedback(task)} {_steps_left(task.rules.horizon - task.steps)}\n{seen}"


def feedback(task: Task) -> str:
    """Return one sentence: the last action and what became of it; also in `rgb+feedback`."""
    before = task.held_before
    held = task.layout.categories[before] if before >= 0 else -1
    known = known_openables(task.layout, task.state)
    return _feedback(task.action, task.outcome, held, known)


@lru_cache(maxsize=1 << 15)
def _feedback(action: int, outcome: Outcome, held: int, known: tuple[int, ...]) -> str:
    closed = [name for name, value in zip(OPENABLES, known, strict=True) if value < 0]
    return told(action, outcome, held, closed)


@cache
def _steps_left(steps: int) -> str:
    return f"{steps or 'No'} {'step' if steps == 1 else 'steps'} left."


@lru_cache(maxsize=1 << 15)
def _scene(place: int, counts: bytes, known: tuple[int, ...], held: int) -> str:
    """Return what is seen and held, from the numbers of the state observation."""
    hand = (
        f"You are holding {counted(1, CATEGORIES[held])}." if held >= 0 else "Your hand is empty."
    )
    if place == START:
        return f"You are at your starting point, with nothing within reach. {hand}"
    parts, hidden = [f"You are at the {english(spot_of(NAV_TARGETS[place]))}."], False
    for name, value in zip(OPENABLES, known, strict=True):
        if value > 0:
            parts.append(f"The {english(name)} is open.")
        elif value < 0:
            hides = name in RECEPTACLE_INDEX
            hidden = hidden or hides
            parts.append(f"The {english(name)} is closed{'; you cannot see inside' * hides}.")
    seen = [counted(n, category) for category, n in zip(CATEGORIES, counts, strict=True) if n]
    if seen or not hidden:
        parts.append(f"You see {listed(seen) or 'no objects'}.")
    return " ".join((*parts, hand))


def rules_text(rules: Rules) -> str:
    """Return what an agent has to know beside the task: actions, rules, number of steps."""
    return _rules(rules.hard, rules.horizon, rules.semantics)


@cache
def _rules(hard: bool, horizon: int, semantics: Semantics) -> str:
    drawers = [f for f in FIXTURES if f.opening == "drawer"]
    holding, empty = (
        listed([english(f.name).removesuffix(" drawer") for f in drawers if f.holds is holds])
        for holds in (True, False)
    )
    closed = "A closed fridge or drawer hides what is in it"
    if semantics == "paper":
        closed += "; you must open it before you can take something out or put something in"
    wrong = "changes nothing and uses up a step"
    end = "The episode ends with success as soon as the task is done."
    if hard:
        wrong = "ends the episode without success"
        end = "Say stop when the task is done: the episode ends, with success if it is done."
    return "\n".join(
        (
            "You control a household robot with one arm. In each step you choose one action. X is "
            "one of the names after it:",
            *_actions(),
            *["- stop"] * hard,
            "Rules:",
            "- You see and reach only what is where you are.",
            "- You can hold one object at a time.",
            f"- {closed}.",
            "- A handle and the fridge or drawer that it belongs to are one place.",
            f"- Objects can be in the {holding} drawers. The {empty} drawers open and close, but "
            "hold nothing.",
            f"- An action that is impossible {wrong}.",
            f"- {end} You have {horizon} {'step' if horizon == 1 else 'steps'}.",
        )
    )


def _actions() -> list[str]:
    """Return the skills by verb, each with what it can be done to."""
    lines = []
    for kind in KINDS:
        targets = sorted(chain.from_iterable(kind.arguments), key=HANDLES.__contains__)
        groups = {f"{kind.verb} the X": targets}
        if kind.name == "place":
            groups = {
                f"{kind.verb} it {word} the X": [t for t in targets if PREPOSITIONS[t] == word]
                for word in dict.fromkeys(PREPOSITIONS.values())
            }
        lines += [f"- {verb}: {', '.join(map(english, names))}" for verb, names in groups.items()]
    return lines


def facts(task: Task) -> str:
    """Return task and `turn`, for people."""
    return f"Task: {task.episode.instruction}\n{turn(task)}"
