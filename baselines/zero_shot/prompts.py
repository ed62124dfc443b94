"""What a chat model is told: rules, examples and how to answer. No requests are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from langrearrange.env import Rules, rules_text
from langrearrange.export.chat import SYSTEM
from langrearrange.world import ACTION_NAMES, NUM_SKILLS, SKILL_INDEX

DesignName = Literal["chatgpt", "llama", "flamingo"]
Choice = Literal["answer", "numbers", "names"]
"""How a turn's action is chosen: read from the answer, or the likeliest of all, given by numbers
of two digits or by their names."""


@dataclass(frozen=True, slots=True)
class Design:
    """One of the paper's three ways to ask.

    Attributes:
        modality: what the agent sees; a blind one declares `state` and ignores it.
        plan: the model writes a whole plan at once; otherwise one action a turn, with feedback.
        picture: the first camera image goes with the task.
    """

    modality: str
    plan: bool
    picture: bool = False


DESIGNS: Final[dict[DesignName, Design]] = {
    "chatgpt": Design("text", plan=False),
    "llama": Design("state", plan=True),
    "flamingo": Design("rgb", plan=True, picture=True),
}

ASK: Final[dict[Choice, str]] = {
    "answer": """\
You get rules and a task, and after each action what came of it. Think in at most two sentences,
then end your answer with one line: `Action: ` and exactly one action, in the words of the rules. If
the task does not say where an object is, look for it at one place after another.""",
    "names": SYSTEM,
    "numbers": """\
You get rules and a task, and after each action what came of it. Answer with the two digits of the
best next action and nothing else:
""",
}
ASK_PLAN: Final = """\
Answer with your whole plan, one action a line and nothing else; you get no feedback in between. If
the task does not say where an object is, plan to look for it at one place after another."""

EXAMPLE_PLANS: Final = (
    (
        "Bring the screwdriver from the left counter to the sofa.",
        ("nav(left_counter)", "pick(screwdriver)", "nav(sofa)", "place(sofa)"),
    ),
    (
        "There should be an apple on the brown table.",
        ("nav(fridge)", "open(fridge)", "pick(apple)", "nav(brown_table)", "place(brown_table)"),
    ),
)
EXAMPLE_TURNS: Final = (
    ("", "nav(fridge)", "The apple may be anywhere. I begin with the fridge."),
    ("You are at the fridge. The fridge is closed.", "open(fridge)", "I cannot see inside."),
    ("You see a lemon.", "nav(sink)", "There is no apple here. I try the sink."),
    ("You see an apple and a knife.", "pick(apple)", "Here is the apple."),
    ("You are holding an apple.", "nav(brown_table)", "It belongs on the brown table."),
    ("You are at the brown table.", "place(brown_table)", "I put it down."),
)
"""What is seen, the action, and the thought before it, for the task of the last example plan."""

SAY_AGAIN: Final = {
    "empty": "Your answer was empty.",
    "cut": "Your answer was cut off before its end. Answer briefly.",
    "unknown": "Your answer names no known action.",
    "several": "Your answer names more than one action.",
}
"""Kind of bad answer -> what the model is told of it."""


def system_prompt(design: Design, choice: Choice, rules: Rules, *, few_shot: bool) -> str:
    """Return what a model is told first; the `text` modality adds rules and task itself."""
    if design.plan:
        parts = [f"{rules_text(rules)}\n\n{ASK_PLAN}"]
        if few_shot:
            parts += [
                f"Example. Task: {task}\n{_lines(plan, rules)}" for task, plan in EXAMPLE_PLANS
            ]
        return "\n\n".join(parts)
    text = ASK[choice]
    if choice == "numbers":
        labels = (f"{number:02d}: {name}" for number, name in enumerate(action_names(rules)))
        text += "\n".join(labels)
    return f"{text}\n\n{_example(choice, rules)}" if few_shot else text


def action_names(rules: Rules) -> tuple[str, ...]:
    """Return the English names of all actions."""
    return ACTION_NAMES[: NUM_SKILLS + rules.hard]


def correction(kind: str, design: Design) -> str:
    """Return what a model is told after a bad answer of this kind."""
    how = "your plan, one action a line" if design.plan else "`Action: ` and exactly one action"
    return f"{SAY_AGAIN[kind]} Answer in English with {how}, in the words of the rules."


def answer_of(action: int, choice: Choice, thought: str = "") -> str:
    """Return an answer that names an action as the prompt asks for."""
    if choice == "numbers":
        return f"{action:02d}"
    name = ACTION_NAMES[action]
    return name if choice == "names" else f"{thought}\nAction: {name}".strip()


def _lines(plan: tuple[str, ...], rules: Rules) -> str:
    return "\n".join(
        [*(ACTION_NAMES[SKILL_INDEX[skill]] for skill in plan), *["stop"] * rules.hard]
    )


def _example(choice: Choice, rules: Rules) -> str:
    turns = [f"Example. Task: {EXAMPLE_PLANS[-1][0]}"]
    for seen, skill, thought in EXAMPLE_TURNS:
        turns += [f"Seen: {seen}"] * bool(seen)
        turns.append(f"You: {answer_of(SKILL_INDEX[skill], choice, thought)}")
    if rules.hard:
        turns.append(f"You: {answer_of(NUM_SKILLS, choice)}")
    return "\n".join(turns)
