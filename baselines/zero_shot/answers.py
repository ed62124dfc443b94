"""Reads actions out of a chat model's answer. Does not ask again."""

from __future__ import annotations

import re
from typing import Final

from langrearrange.agents import AgentRefusalError
from langrearrange.errors import ActionError
from langrearrange.world import ACTION_IDS, ACTION_NAMES, NUM_SKILLS, parse_action

_LONGEST_FIRST: Final = sorted((*ACTION_NAMES[:NUM_SKILLS], *ACTION_IDS), key=len, reverse=True)
_NAMED: Final = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, _LONGEST_FIRST))})(?!\w)", re.I)
_ACTION_LINE: Final = re.compile(r"^[\s*#>`-]*action\s*\d*[\s*`]*:[\s*`]*(.*)$", re.I | re.M)
_PLAN_MARK: Final = re.compile(r"^[\s*#]*(?:my |the )?plan[\s*]*[:=]", re.I | re.M)
_BETWEEN: Final = re.compile(r"[\n;,]|->|\bthen\b", re.I)
_BULLET: Final = re.compile(r"\A\W*(?:(?:step )?\d+\s*[.):]\s*)?\W*", re.I)
_NEGATED: Final = re.compile(r"\b(not|never|cannot|unable|no longer)\b|n['\u2019]t\b", re.I)
_NUMBER: Final = re.compile(r"\W*(\d{1,2})\W*")


class BadAnswer(AgentRefusalError):
    """An answer that no action can be read from; `kind` is a key of `prompts.SAY_AGAIN`."""

    def __init__(self, kind: str, why: str, answer: str) -> None:
        super().__init__(f"{why}: {answer.strip()[:200]!r}", kind)


def read_action(answer: str, num_actions: int = NUM_SKILLS) -> int:
    """Return the one action that an answer names, on its `Action:` line if it has one.

    Args:
        answer: may contain reasoning before the line.
        num_actions: 70, or 71 in the hard variant.

    Raises:
        BadAnswer: empty, no known action, or several different ones.
    """
    _refuse_empty(answer)
    lines = [line for line in _ACTION_LINE.findall(answer) if line.strip()]
    found: set[int] = set()
    for line in lines or [answer]:
        number = _NUMBER.fullmatch(line)
        found.update([int(number[1])] if number else _named_in(line, num_actions))
    found &= set(range(num_actions))
    if len(found) != 1:
        kind, why = ("several", "several actions") if found else ("unknown", "no known action")
        raise BadAnswer(kind, f"the answer names {why}", answer)
    return found.pop()


def read_plan(answer: str, num_actions: int = NUM_SKILLS, *, cut: bool = False) -> tuple[int, ...]:
    """Return the actions that an answer names, in order, after `Plan:` if it says so.

    Args:
        answer: one action a line, or with commas.
        num_actions: 70, or 71 in the hard variant.
        cut: the answer is incomplete, so that its last line is not read.

    Raises:
        BadAnswer: empty, or no known action.
    """
    _refuse_empty(answer)
    text = _PLAN_MARK.split(answer)[-1]
    plan = _named_in(text.rpartition("\n")[0] if cut else text, num_actions)
    if plan:
        return tuple(plan)
    if cut:
        raise BadAnswer("cut", "the answer is cut off before its first action ends", answer)
    raise BadAnswer("unknown", "the answer names no known action", answer)


def _named_in(text: str, num_actions: int) -> list[int]:
    """Return all actions in a text: pieces that are an action, else names in what is affirmed."""
    found: list[int] = []
    for piece in _BETWEEN.split(text):
        words = _BULLET.sub("", piece)
        try:
            found.append(parse_action(words))
        except ActionError:
            if not _NEGATED.search(words):  # "You can't go to the sofa."
                found += [parse_action(match[1]) for match in _NAMED.finditer(words)]
    return [action for action in found if action < num_actions]


def _refuse_empty(answer: str) -> None:
    if not answer.strip():
        raise BadAnswer("empty", "the answer is empty", answer)
