"""For people who test their own parts: checks of envs, simulators and agents, and toy episodes."""

from langrearrange.testing.episodes import toy_episodes

__all__ = ["toy_episodes"]
