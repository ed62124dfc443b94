"""Writes docs/text_transcript.txt: three whole episodes as the `text` observation tells them.

python tests/golden/make_text_transcript.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from langrearrange.agents import load_rows
from langrearrange.dataset import EpisodeList, select
from langrearrange.env import LangRearrangeEnv
from langrearrange.generator import open_split
from langrearrange.leaderboard.rollout import play
from langrearrange.world import ACTION_NAMES

PATH: Final = Path(__file__).parents[2] / "docs" / "text_transcript.txt"
EPISODES: Final[tuple[tuple[Any, int, str], ...]] = (
    ("train_eval", 2, "explorer"),
    ("multiple_objects", 36, "explorer"),
    ("validation", 1, "random"),
)
"""Split, index and the agent that acts."""


def transcript() -> str:
    """Return the whole file."""
    lines: list[str] = []
    for split, index, agent in EPISODES:
        episode = open_split(split).get(index)
        actions = next(play(load_rows(agent), select(EpisodeList([episode])))).actions
        env = LangRearrangeEnv(split=split, observation="text")
        lines += ["", f"# {episode.id}, actions of {agent}", "", _reset(env, episode.id)]
        for action in actions:
            observation, _, _, _, info = env.step(action)
            lines += ["", f"> {ACTION_NAMES[action]}", "", observation["text"]]
        lines += ["", f"# {'success' if info['success'] else 'failure'} in {len(actions)} steps"]
        env.close()
    return "\n".join(lines[1:]) + "\n"


def _reset(env: LangRearrangeEnv, episode_id: str) -> str:
    return str(env.reset(options={"episode_id": episode_id})[0]["text"])


if __name__ == "__main__":
    PATH.write_text(transcript(), encoding="ascii")
