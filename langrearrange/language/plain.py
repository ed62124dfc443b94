"""Goals in plain English, for people who compare them with sentences; not read back."""

from __future__ import annotations

from typing import Final

from langrearrange.language.lexicon import load_lexicon
from langrearrange.world.goals import And, Atom, Goal, Initially, Not, Or, Quantified
from langrearrange.world.vocabulary import RECEPTACLES, english

_SAID: Final = {
    "on_top": "{} is on {}",
    "holding": "{} is held",
    "hand_free": "the hand is free",
    "robot_at": "the robot is at the {}",
    "near": "{} is in reach",
    "open": "the {} is open",
    "closed": "the {} is closed",
    "undisturbed": "{} is where it was",
    "=": "{} is the same as {}",
}


def in_words(goal: Goal) -> str:
    """Return a goal as one line: `an apple x: x is on the sofa and the hand is free`."""
    match goal:
        case Atom("on_top", (thing, place)) if place in RECEPTACLES:
            return f"{_name(thing)} is {load_lexicon().receptacles[place].forms['in']}"
        case Atom(predicate, arguments):
            return _SAID[predicate].format(*map(_name, arguments))
        case Not(Atom() as atom):
            return in_words(atom).replace(" is ", " is not ", 1)
        case Not(part):
            return f"not {_grouped(part)}"
        case Initially(part):
            return in_words(part).replace(" is ", " was ")
        case And(parts):
            return " and ".join(map(_grouped, parts))
        case Or((Not(condition), part)):
            return f"if {_grouped(condition)}, {_grouped(part)}"
        case Or(parts):
            return " or ".join(map(_grouped, parts))
        case Quantified(quantifier, variables, body):
            each = "some" if quantifier == "exists" else "every"
            bound = (f"{each} {' or '.join(map(_noun, v.types))} {v.name[1:]}" for v in variables)
            return f"{' and '.join(bound)}: {in_words(body)}"


def _grouped(goal: Goal) -> str:
    text = in_words(goal)
    return f"({text})" if isinstance(goal, And | Or | Quantified) else text


def _noun(name: str) -> str:
    word = load_lexicon().objects.get(name)
    return word.forms["another"].removeprefix("another ") if word else english(name)


def _name(argument: str) -> str:
    return argument[1:] if argument.startswith("?") else english(argument)
