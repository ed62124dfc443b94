"""Episodes written by hand and a household without Gymnasium, for tests of agents and scores."""

from __future__ import annotations

from typing import Any

from langrearrange.agents import load_rows
from langrearrange.dataset import Episode, EpisodeList, ObjectPlacement, Start
from langrearrange.env import EnvConfig, Observations, Rules, Task
from langrearrange.env.actions import check_action
from langrearrange.houses.models import models_of
from langrearrange.leaderboard.rollout import play
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


class TaskHousehold:
    """Rollout's household over `Task` alone: what the env does, without Gymnasium."""

    def __init__(self, source: EpisodeList, modality: str = "state", *, hard: bool = False) -> None:
        self._source, self._rules = source, Rules(hard=hard)
        self._observations = Observations(EnvConfig(observation=modality))

    def reset(self, *, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        position = self._source.index_of(options["episode_id"])
        self._task = Task(self._source.get(position), self._rules)
        return self._seen(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        task = self._task
        reward = task.step(check_action(action, self._rules.num_actions))
        info = {"outcome": str(task.outcome), "success": task.success}
        return self._seen(), reward, task.terminated, task.truncated, info

    def _seen(self) -> dict[str, Any]:
        return self._observations.observe(0, self._task)


def traces_of(agent: Any, episodes: Any, *, hard: bool = False) -> dict[str, EpisodeTrace]:
    """Let an agent (a name or a batched agent) play episodes; id -> trace."""
    source = EpisodeList(episodes)
    rows = load_rows(agent, hard=hard) if isinstance(agent, str) else agent
    ids = [source.id_at(i) for i in range(len(source))]
    played = play(
        rows,
        ids,
        lambda: TaskHousehold(source, rows.modality, hard=hard),
        lambda episode_id: source.get(source.index_of(episode_id)),
    )
    return {trace.id: trace for trace in played}
