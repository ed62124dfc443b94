"""Object models, and helpers that their builders share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from langrearrange.houses.mesh import Mesh
from langrearrange.houses.shapes import Color, Point3, moved, plane, rested, scaled, turned


@dataclass(frozen=True, slots=True)
class ObjectModel:
    """A model of an object that can be picked up.

    Attributes:
        id: `<category>_<variant>`.
        category: one of `world.CATEGORIES`.
        size_mm: extent in x, y, z of the resting object, exactly that of its mesh.
        colors: the words for its main colours, most of its surface first.
        shapes: words for what one sees of its form.
    """

    id: str
    category: str
    size_mm: tuple[int, int, int]
    colors: tuple[str, ...]
    shapes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model and the function that shapes it; the result is fitted to the model's size."""

    model: ObjectModel
    build: Callable[[], Mesh]


def family(
    category: str,
    shapes: str,
    build: Callable[..., Mesh],
    *rows: tuple[Any, ...],
    sized: bool = False,
) -> list[Recipe]:
    """Return recipes of one category that share a builder and the words for their form.

    Args:
        category: one of `world.CATEGORIES`.
        shapes: words for the form, separated by commas.
        build: makes the mesh.
        *rows: one per model: variant, size in mm, colour words, then the arguments of `build`.
        sized: `build` takes the size in metres before these arguments.
    """
    recipes = []
    for variant, size_mm, colors, *arguments in rows:
        model = ObjectModel(
            f"{category}_{variant}", category, size_mm, tuple(colors.split(", ")),
            tuple(shapes.split(", ")),
        )  # fmt: skip
        size = [tuple(extent / 1000 for extent in size_mm)] if sized else []
        recipes.append(Recipe(model, partial(build, *size, *arguments)))
    return recipes


def fitted(mesh: Mesh, size_mm: tuple[int, int, int]) -> Mesh:
    """Return the mesh resting on z = 0 around the z axis, stretched to exactly the given size."""
    resting = rested(mesh)
    low, high = resting.bounds.astype(np.float64)
    stretched = scaled(resting, *(np.array(size_mm) / 1000 / (high - low)))
    # Centring rounds by up to 0.01 mm; pin both ends to the promised box.
    half = np.array([size_mm[0] / 2000, size_mm[1] / 2000, 0.0])
    top = np.array([*half[:2], size_mm[2] / 1000])
    clipped = np.clip(stretched.positions.astype(np.float64), -half, top)
    low, high = clipped.min(axis=0), clipped.max(axis=0)
    clipped = np.where(clipped <= low, -half, np.where(clipped >= high, top, clipped))
    return replace(stretched, positions=clipped.round(5).astype(np.float32))


def mixed(a: Color, b: Color, share: float) -> Color:
    """Return the colour `share` of the way from a to b; share is clipped to [0, 1]."""
    t = min(max(share, 0.0), 1.0)
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def speckled(mesh: Mesh, amount: float) -> Mesh:
    """Return the mesh with each vertex a little lighter or darker, by up to `amount` of 1."""
    code = np.round(mesh.positions.astype(np.float64) * 1e5).astype(np.int64)
    mix = (code[:, 0] * 73856093) ^ (code[:, 1] * 19349663) ^ (code[:, 2] * 83492791)
    mix = (mix ^ (mix >> 13)) * 0x5BD1E995
    share = ((mix >> 8) & 1023).astype(np.float64) / 511.5 - 1.0
    color = np.clip(mesh.colors * (1.0 + amount * share)[:, None], 0, 255)
    return replace(mesh, colors=color.astype(np.float32))


def panel(width: float, height: float, color: Color) -> Mesh:
    """Return a flat rectangle centred on the origin, facing up; for labels and stickers."""
    return moved(plane(width, height, color), -width / 2, -height / 2)


Side = Literal["front", "right", "back", "left", "top", "bottom"]
SIDES: tuple[Side, ...] = ("front", "right", "back", "left", "top", "bottom")


def on_side(drawing: Mesh, size: Point3, side: Side, lift: float = 0.0004) -> Mesh:
    """Carry a flat drawing (x to the right, y up) onto a face of a standing box of that size.

    It floats `lift` metres above the face, so that the face behind never shows through.
    """
    x, y, z = size
    if side == "top":
        return moved(drawing, z=z + lift)
    if side == "bottom":
        return moved(turned(drawing, "x", 180), z=-lift)
    turns = SIDES.index(side)
    depth = (y, x)[turns % 2]
    return turned(moved(turned(drawing, "x", 90), 0, -depth / 2 - lift, z / 2), "z", 90 * turns)


def face_size(size: Point3, side: Side) -> tuple[float, float]:
    """Return width and height of a face of a standing box."""
    x, y, z = size
    return {"front": (x, z), "back": (x, z), "left": (y, z), "right": (y, z)}.get(side, (x, y))
