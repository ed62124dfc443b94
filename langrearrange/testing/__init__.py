"""For people who test their own parts: checks of envs, simulators and agents, and toy episodes."""

from langrearrange.testing.check_agent import check_agent
from langrearrange.testing.check_env import check_env
from langrearrange.testing.check_simulator import check_simulator
from langrearrange.testing.episodes import toy_episodes
from langrearrange.testing.report import CheckError

__all__ = ["CheckError", "check_agent", "check_env", "check_simulator", "toy_episodes"]
