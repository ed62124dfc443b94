"""Portraits of models for people: each thing on a plain ground, alone or as a contact sheet.

Not what a robot sees (see `simulator`) and not flats (see `gallery`).
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from langrearrange.houses.homes import FLATS
from langrearrange.houses.models import MODELS, object_mesh
from langrearrange.houses.shapes import moved, plane
from langrearrange.sim.camera import Vector, look_at
from langrearrange.sim.embedded.gallery import Picture, contact_sheet
from langrearrange.sim.embedded.library import mesh_library
from langrearrange.sim.embedded.simulator import LOOKS, draw, packed
from langrearrange.sim.scene import MeshKey

_GROUND: Final = (196.0, 192.0, 184.0)
_HFOV_DEG: Final = 22.0


@cache
def _ground() -> int:
    """Return the index of a square of ground, large enough for every view."""
    return mesh_library().add(moved(plane(8, 8, _GROUND, cells=(8, 8)), -4, -4), "portrait ground")


def portrait(
    model_id: str, size_px: int = 192, azimuth_deg: float = -60.0, elevation_deg: float = 30.0
) -> Picture:
    """Return a model standing on a plain ground, filling the picture.

    Args:
        model_id: an id of `houses.MODELS`.
        size_px: height and width.
        azimuth_deg: where the viewer stands, counter-clockwise from +x; -90 is in front.
        elevation_deg: how far above the thing's middle the viewer looks from, in (0, 90).

    Raises:
        HouseError: no model has this id.
    """
    thing = mesh_library().index(MeshKey("model", model_id, FLATS))
    low, high = object_mesh(model_id).bounds.astype(np.float64)
    radius = float(np.linalg.norm(high - low)) / 2
    middle = Vector(0.0, 0.0, float(high[2]) / 2)
    distance = 1.06 * radius / math.sin(math.radians(_HFOV_DEG / 2))
    level = distance * math.cos(math.radians(elevation_deg))
    eye = Vector(
        level * math.cos(math.radians(azimuth_deg)),
        level * math.sin(math.radians(azimuth_deg)),
        middle.z + distance * math.sin(math.radians(elevation_deg)),
    )
    ids = np.array([[_ground(), 0, 0], [thing, 1, 1]], np.int32)
    poses = np.tile(np.eye(3, 4, dtype=np.float32), (2, 1, 1))
    picture = np.zeros((size_px, size_px, 3), np.uint8)
    camera = packed(look_at(eye, middle, _HFOV_DEG))
    draw([(ids, poses, camera, picture, None, None)], LOOKS["supersampled"], threads=1)
    return picture


def models_sheet(
    model_ids: Sequence[str] = tuple(MODELS), columns: int = 12, size_px: int = 128
) -> Picture:
    """Return a contact sheet of models, their ids below; by default of all."""
    return contact_sheet([portrait(m, size_px) for m in model_ids], list(model_ids), columns)
