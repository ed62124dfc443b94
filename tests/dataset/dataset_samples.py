"""A small valid episode and its relatives, for the tests of this room."""

from __future__ import annotations

from typing import Any

import msgspec

from langrearrange.dataset import Episode, ObjectPlacement, Start


def placement(name: str = "apple_0", **changes: Any) -> ObjectPlacement:
    category = name.rsplit("_", 1)[0]
    fields: dict[str, Any] = {
        "id": name,
        "category": category,
        "model": f"{category}_plain",
        "receptacle": "chair",
        "slot": 0,
        "yaw": 0,
    }
    return ObjectPlacement(**fields | changes)


def sample_episode(index: int = 0, template: str = "put", **changes: Any) -> Episode:
    fields: dict[str, Any] = {
        "id": f"train/{index:06d}",
        "split": "train",
        "template": template,
        "phrasing": index % 11,
        "cluster": f"{template}/{index % 11}",
        "instruction": f"Put the apple on the sofa, {index}.",
        "goal": "(exists (?x - apple) (and (on_top ?x sofa) (hand_free)))",
        "house": "flat_0_00",
        "objects": (
            placement(),
            placement("cup_0", slot=1),
            placement("ball_0", receptacle="sofa"),
        ),
        "open": ("fridge",),
        "start": Start(x=1000, y=2000, yaw=-3142),
        "plan": ("nav(chair)", "pick(apple)", "nav(sofa)", "place(sofa)"),
        "subgoals": ("held(apple)", "delivered(apple,sofa,1)"),
    }
    return Episode(**fields | changes)


def with_object(episode: Episode, number: int, **changes: Any) -> Episode:
    objects = list(episode.objects)
    objects[number] = msgspec.structs.replace(objects[number], **changes)
    return msgspec.structs.replace(episode, objects=tuple(objects))
