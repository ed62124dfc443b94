"""What `gym.make` returns, without its wrappers and with its own type."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from langrearrange.env import LangRearrangeEnv


def bare(env: gym.Env[Any, Any]) -> LangRearrangeEnv:
    """Return the env inside all wrappers."""
    assert isinstance(env.unwrapped, LangRearrangeEnv)
    return env.unwrapped


def spec_json(env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any]) -> str:
    """Return the spec of a registered env as JSON."""
    assert env.spec is not None
    return env.spec.to_json()
