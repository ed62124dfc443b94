"""Surfaces as Habitat receptacles: `receptacle_aabb_*` boxes with half extents. No meshes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from langrearrange.habitat.frames import inverse, to_y_up
from langrearrange.houses.house import House, Part, Surface

_HALF_HEIGHT_M: Final = 0.01
"""Boxes are 2 cm high and stand on the surface: samplers take their lower face."""


def receptacle_boxes(house: House, parts: Sequence[Part], link_key: str) -> dict[str, Any]:
    """Return the receptacles among parts as `user_defined` entries, each in its part's frame.

    Args:
        house: the flat.
        parts: those of one exported object.
        link_key: key under which the part's name is given (links of what opens), or "".
    """
    found: dict[str, Any] = {}
    for part in parts:
        surface = house.surfaces.get(part.name)
        if surface is None:
            continue
        middle, half = _box(surface, part)
        entry: dict[str, Any] = {
            "name": f"receptacle_aabb_{part.name}",
            "position": middle,
            "scale": half,  # half extents, whatever the key is called
            "up": [0, 1, 0],
        }
        if link_key:
            entry[link_key] = part.name
        found[f"receptacle_aabb_{part.name}"] = entry
    return found


def _box(surface: Surface, part: Part) -> tuple[list[float], list[float]]:
    """Return middle and half extents of a surface's box, y up, in its part's frame."""
    slots = np.array([(s.x_mm, s.y_mm, s.z_mm) for s in surface.slots], np.float64) / 1000
    if not surface.part:
        to_part = inverse(part.closed).astype(np.float64)
        slots = slots @ to_part[:, :3].T + to_part[:, 3]
    cell = np.array([*surface.cell_mm, 0]) / 2000
    low, high = slots.min(axis=0) - cell, slots.max(axis=0) + cell
    high[2] += 2 * _HALF_HEIGHT_M
    middle = to_y_up(((low + high) / 2)[None])[0]
    half = to_y_up(((high - low) / 2)[None])[0]
    return (
        [round(float(v), 4) + 0.0 for v in middle],
        [round(abs(float(v)), 4) for v in half],
    )
