"""Episodes written by hand, and agents playing them, for tests of agents and scores."""

from __future__ import annotations

from typing import Any

from langrearrange.agents import load_rows
from langrearrange.dataset import Episode, EpisodeList, ObjectPlacement, Start, select
from langrearrange.houses.models import models_of
from langrearrange.leaderboard.rollout import RunRules, play
from langrearrange.leaderboard.trace import EpisodeTrace


def episode(
    index: int,
    instruction: str,
    goal: str,
    things: dict[str, str],
    plan: tuple[str, ...] = (),
    *,
    open: tuple[str, ...] = (),
    template: str = "handmade",
    cluster: str = "",
    subgoals: tuple[str, ...] = (),
    split: str = "context",
) -> Episode:
    """An episode whose `things` map `apple_0` -> receptacle."""
    taken: dict[str, int] = {}
    objects = []
    for name, receptacle in things.items():
        slot = taken.get(receptacle, 0)
        taken[receptacle] = slot + 1
        category = name.rsplit("_", 1)[0]
        objects.append(
            ObjectPlacement(
                id=name,
                category=category,
                model=models_of(category)[0].id,
                receptacle=receptacle,
                slot=slot,
                yaw=0,
            )
        )
    return Episode(
        id=f"{split}/{index:06d}",
        split=split,
        template=template,
        phrasing=0,
        cluster=cluster or f"cluster{index}",
        instruction=instruction,
        goal=goal,
        house="flat_0_00",
        objects=tuple(objects),
        open=open,
        start=Start(x=1000, y=1000, yaw=0),
        plan=plan,
        subgoals=subgoals,
    )


def on(category: str, receptacle: str) -> str:
    """The goal of having one of a category on a receptacle."""
    return f"(exists (?x - {category}) (and (on_top ?x {receptacle}) (hand_free)))"


APPLE = episode(
    0,
    "Move an apple from the sofa to the sink.",
    on("apple", "sink"),
    {"apple_0": "sofa", "pear_0": "chair"},
    ("nav(sofa)", "pick(apple)", "nav(sink)", "place(sink)"),
    subgoals=("held(apple)", "delivered(apple,sink,1)"),
)
HIDDEN = episode(
    1,
    "Bring a mug to the brown table.",
    on("mug", "brown_table"),
    {"mug_0": "fridge", "book_0": "sofa"},
    ("nav(fridge)", "open(fridge)", "pick(mug)", "nav(brown_table)", "place(brown_table)"),
    subgoals=("opened(fridge)", "held(mug)", "delivered(mug,brown_table,1)"),
)
FRIDGE = episode(
    2, "Open the fridge.", "(open fridge)", {"book_0": "sofa"}, ("nav(fridge)", "open(fridge)")
)
FIND = episode(
    3, "Find a book.", "(exists (?x - book) (near ?x))", {"book_0": "sofa"}, ("nav(sofa)",)
)
HANDMADE = (APPLE, HIDDEN, FRIDGE, FIND)

APPLES = {f"apple_{i}": "fridge" if i < 3 else "sofa" for i in range(6)}
CROWDED = (
    episode(
        10,
        "Put all apples on the sofa.",
        "(and (forall (?x - apple) (on_top ?x sofa)) (hand_free))",
        {**APPLES, "pear_0": "fridge", "pear_1": "left_drawer", "pear_2": "left_drawer"},
    ),
    episode(
        11,
        "Put a pear into the fridge and close it.",
        "(and (exists (?x - pear) (on_top ?x fridge)) (closed fridge) (hand_free))",
        {**APPLES, "pear_0": "sofa", "pear_1": "sofa", "pear_2": "sofa", "pear_3": "sofa"},
        open=("fridge",),
    ),
)
"""Several of a category side by side, in containers and out."""
CROWDED_SKILLS = (
    "nav(fridge)", "nav(sofa)", "nav(left_drawer_handle)", "pick(apple)", "pick(pear)",
    "place(sofa)", "place(fridge)", "place(left_drawer)", "open(fridge)", "close(fridge)",
    "open(left_drawer)",
)  # fmt: skip
"""The skills that matter in them."""


def traces_of(agent: Any, episodes: Any, *, hard: bool = False) -> dict[str, EpisodeTrace]:
    """Let an agent (a name or a batched agent) play episodes; id -> trace."""
    source = EpisodeList(episodes)
    rows = load_rows(agent, hard=hard) if isinstance(agent, str) else agent
    rules = RunRules("hard" if hard else "paper")
    return {trace.id: trace for trace in play(rows, select(source), rules)}
