"""A world of two things and two places, small enough that PPO solves it in seconds.

Six skills: go to a place, pick a thing, put what is held at a place. The sentence names a thing and
the place where it should be; it lies at the other one, in half of the episodes under the wrong name
of neither. Rewards are the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from langrearrange_baselines.engine.encoder import Encoded

THINGS, PLACES = ("ball", "cup"), ("sofa", "table")
PHRASINGS = ("Bring the {0} to the {1}.", "Put the {0} on the {1}.", "The {1} needs the {0}.")
NUM_ACTIONS, HORIZON, FEATURES = 6, 8, 8


class ToyEnvs:
    """A vector env in SameStep mode."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.worlds: list[dict[str, Any]] = [{} for _ in range(num_envs)]
        self.rngs = [np.random.default_rng(i) for i in range(num_envs)]

    def reset(self, *, seed: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        for row in range(self.num_envs):
            if seed is not None:
                self.rngs[row] = np.random.default_rng([seed, row])
            self._begin(row)
        return self._observe(), {}

    def step(self, actions: Any) -> tuple[dict[str, Any], Any, Any, Any, dict[str, Any]]:
        rewards = np.array(
            [self._act(w, int(a)) for w, a in zip(self.worlds, actions, strict=True)]
        )
        won = np.array([w["at"][w["thing"]] == w["goal"] for w in self.worlds])
        late = np.array([w["steps"] >= HORIZON for w in self.worlds]) & ~won
        final = {
            "template": [f"place_{w['goal']}" for w in self.worlds],
            "success": won,
            "steps": [w["steps"] for w in self.worlds],
            "outcome": [w["outcome"] for w in self.worlds],
        }
        before = self._observe()
        final_obs = [{k: v[i] for k, v in before.items()} for i in range(self.num_envs)]
        for row in np.flatnonzero(won | late).tolist():
            self._begin(row)
        infos = {"final_info": final, "final_obs": final_obs}
        infos["outcome"] = [w["outcome"] for w in self.worlds]
        return self._observe(), rewards, won, late, infos

    def save_state(self) -> Any:
        return {"worlds": self.worlds, "rngs": [rng.bit_generator.state for rng in self.rngs]}

    def restore_state(self, saved: Any) -> None:
        self.worlds = saved["worlds"]
        for rng, state in zip(self.rngs, saved["rngs"], strict=True):
            rng.bit_generator.state = state

    def _begin(self, row: int) -> None:
        rng = self.rngs[row]
        thing, goal, other, phrasing = (int(rng.integers(n)) for n in (2, 2, 2, 3))
        at = [other, other]
        at[thing] = 1 - goal
        self.worlds[row] = {
            "thing": thing,
            "goal": goal,
            "at": at,
            "place": 2,
            "held": 2,
            "steps": 0,
            "picked": False,
            "outcome": "none",
            "sentence": PHRASINGS[phrasing].format(THINGS[thing], PLACES[goal]),
        }

    def _act(self, world: dict[str, Any], action: int) -> float:
        world["steps"] += 1
        kind, which = divmod(action, 2)
        reward, valid = -0.01, True
        if kind == 0:
            world["place"] = which
        elif kind == 1 and world["held"] == 2 and world["at"][which] == world["place"]:
            world["held"], world["at"][which] = which, 2
            if which == world["thing"] and not world["picked"]:
                world["picked"] = True
                reward += 5.0
        elif kind == 2 and world["held"] != 2 and world["place"] == which:
            world["at"][world["held"]], world["held"] = which, 2
        else:
            valid = False
            reward -= 0.1
        world["outcome"] = "ok" if valid else "not_near"
        return reward + 10.0 * bool(world["at"][world["thing"]] == world["goal"])

    def _observe(self) -> dict[str, Any]:
        state = np.zeros((self.num_envs, FEATURES), np.float32)
        for row, world in enumerate(self.worlds):
            state[row, world["place"]] = 1
            state[row, 3 + world["held"]] = 1
            for thing in range(2):
                state[row, 6 + thing] = world["at"][thing] == world["place"] != 2
        return {"state": state, "instruction": [w["sentence"] for w in self.worlds]}


class ToyEncoder:
    """Sees the state as it is."""

    modality = "state"
    feature_shape: tuple[int, ...] = (FEATURES,)
    proprio_dim = 0
    fingerprint = "toy"

    def __call__(self, observations: Mapping[str, Any]) -> Encoded:
        features = torch.from_numpy(np.asarray(observations["state"])).half()
        return Encoded(features, torch.zeros(len(features), 0))
