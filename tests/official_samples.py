"""Small pickles of our own in the form of the released ones, and what pickles should not do."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

TABLE = "receptacle_aabb_Tbl1_Top1_frl_apartment_table_01"
SOFA = "receptacle_aabb_Sofa_frl_apartment_sofa"
SINK = "receptacle_aabb_sink_kitchen_counter"
FRIDGE_MARKER = "fridge_push_point"
THINGS = (("016_pear", SOFA), ("013_apple", TABLE), ("013_apple", SINK))


def goal(
    category: str, receptacle: str, quantifier: str = "EXISTS", connective: str = "AND"
) -> dict[str, Any]:
    return {
        "expr_type": connective,
        "quantifier": quantifier,
        "inputs": [{"name": "X", "expr_type": category}],
        "sub_exprs": [f"on_top(X, {receptacle})", "not_holding()"],
    }


def take_off(category: str, receptacle: str) -> dict[str, Any]:
    inner = goal(category, receptacle, connective="NAND")
    inner["sub_exprs"] = inner["sub_exprs"][:1]
    return {"expr_type": "AND", "sub_exprs": ["not_holding()", inner]}


def transform(x: float = 1.0, y: float = 0.5, z: float = 2.0, yaw: float = 0.0) -> np.ndarray:
    """A pose with y up."""
    c, s = np.cos(yaw), np.sin(yaw)
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    matrix[:3, 3] = x, y, z
    return matrix


class Builder:
    """Collects episodes into the tables of a file."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.transforms: list[np.ndarray] = []
        self.episodes: list[dict[str, Any]] = []

    def name(self, text: str) -> int:
        return self.names.setdefault(text, len(self.names))

    def add(
        self,
        instruction: str = "Bring me a pear at the black table, would you?",
        goal_preds: Any = None,
        things: tuple[tuple[str, str], ...] = THINGS,
        poses: tuple[np.ndarray, ...] = (),
        **changes: Any,
    ) -> Builder:
        first = len(self.transforms)
        self.transforms += poses or [transform(x=i) for i, _ in enumerate(things)]
        counts: dict[str, int] = {}
        spawned = []
        for asset, receptacle in things:
            instance = f"{asset}_:{counts.get(asset, 0):04d}"
            counts[asset] = counts.get(asset, 0) + 1
            spawned.append([self.name(instance), self.name(receptacle)])
        config = [self.name(f"{asset}.object_config.json") for asset, _ in things]
        fields: dict[str, Any] = {
            "episode_id": str(len(self.episodes)),
            "scene_id": "some/folder/v3_sc9_staging_07.scene_instance.json",
            "start_position": [0, 0, 0],
            "info": {"object_labels": {}},
            "rigid_objs": np.array([[a, first + i] for i, a in enumerate(config)], np.int64),
            "markers": [[1, 2, np.array([0.3, 0.0, 0.0]), 3, 4]],
            "name_to_receptacle": np.array(spawned[::-1], np.int64),
            "instruction": instruction,
            "sampled_entities": {"thing": "pear", "place": TABLE},
            "start_preds": [],
            "goal_preds": goal_preds or goal("pear", TABLE),
            "instruct_id": "0123abcd",
            "sampler_info": {},
            "subgoals": [["holding(016_pear_:0000)"]],
        }
        self.episodes.append(fields | changes)
        return self

    @property
    def data(self) -> dict[str, Any]:
        return {
            "all_transforms": np.array(self.transforms, np.float32).reshape(-1, 4, 4),
            "idx_to_name": {index: name for name, index in self.names.items()},
            "all_eps": self.episodes,
        }

    def write(self, folder: Path, stem: str = "context") -> Path:
        path = folder / f"{stem}.pickle"
        path.write_bytes(pickle.dumps(self.data, protocol=4))
        return path


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def touches(path: Path) -> Calls:
    """What would leave a trace, were it run."""
    return Calls(os.system, f"touch {path}")
