"""From the key of a house part to its mesh, made when first asked for. Not models of things."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from langrearrange.errors import HouseError
from langrearrange.houses import kitchen, rooms
from langrearrange.houses.blocks import upturned
from langrearrange.houses.decor import decor_mesh
from langrearrange.houses.flats import furnishing_of, parse_house_id
from langrearrange.houses.furnish import Furnishing
from langrearrange.houses.furniture import FURNITURE, NUM_STYLES
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.occlusion import occluders, openness, shaded
from langrearrange.houses.palette import Palette, palette_of
from langrearrange.houses.shapes import with_box_uv
from langrearrange.seeding import HOUSE_VERSION, KeyedRng


@lru_cache(maxsize=512)
def part_mesh(mesh_key: str) -> Mesh:
    """Return the mesh of a part, in the part's frame, metres (cached).

    Args:
        mesh_key: `Part.mesh`: `<flat id>/<part name>`.

    Raises:
        HouseError: no flat or no part is called so.
    """
    house_id, _, name = mesh_key.partition("/")
    plan, number = parse_house_id(house_id)
    design, palette = furnishing_of(house_id), palette_of(plan, number)
    style = KeyedRng(HOUSE_VERSION, "flat", plan, number, "style", name).below(NUM_STYLES)
    mesh = _shell(design, palette, name) or _fixture_part(design, palette, name, style)
    if mesh is None:
        raise HouseError(f"flat '{house_id}' has no part '{name}'; see House.parts")
    kind = name.split("_")[0]
    if name in _UPHOLSTERED:
        around = occluders([mesh], 0.025, 0.25)
        mesh = shaded(mesh, openness(mesh, around), 0.5)
    if kind in _BOUNCED:
        mesh = upturned(mesh, _BOUNCED[kind])
    material = _TEXTURED.get(name)
    return with_box_uv(mesh, *material) if material else mesh


_BOUNCED: Final = {
    "walls": 0.4, "ceiling": 0.8, "decor": 0.35, "upper": 0.35, "backsplash": 0.4, "fridge": 0.35,
    "left": 0.15, "right": 0.15, "middle": 0.15, "bottom": 0.15, "sink": 0.15,
}  # fmt: skip
"""First word of a part's name -> how much light from the floor it is given."""
_UPHOLSTERED: Final = ("sofa", "chair")
"""Parts with enough vertices to carry ambient occlusion of their own."""
_TEXTURED: Final = {
    "sofa": ("fabric", 0.3),
    "black_table": ("wood", 0.9),
    "brown_table": ("wood", 0.9),
    "backsplash": ("small_tiles", 1.2),
}
"""Part -> texture and metres per repeat; floors and walls bring their own."""


def _shell(design: Furnishing, palette: Palette, name: str) -> Mesh | None:
    """Return floors, walls, ceilings and decor; None for another part."""
    kind, _, rest = name.partition("_")
    if name == "wall_tops":
        return rooms.wall_tops(design, (92, 90, 88))
    if kind == "decor" and rest.isdecimal() and int(rest) < len(design.ornaments):
        return decor_mesh(design.ornaments[int(rest)], palette)
    if rest not in design.plan.rooms:
        return None
    if kind == "floor":
        return rooms.floor(design, rest, palette.floors[rest])
    if kind == "walls":
        return with_box_uv(rooms.walls(design, rest, palette), "plaster", 2.0)
    if kind == "ceiling":
        return rooms.ceiling(design, rest, palette)
    return None


def _fixture_part(design: Furnishing, palette: Palette, name: str, style: int) -> Mesh | None:
    """Return furniture and what moves on it; None for another part."""
    size = {fixture.name: fixture.size for fixture in design.fixtures.values()}
    if name in FURNITURE:
        return FURNITURE[name](size[name], palette, style)  # type: ignore[index]
    if name in ("left_counter", "right_counter"):
        return kitchen.counter(size["kitchen"], palette, name)
    if name == "sink":
        return kitchen.sink(size["kitchen"], palette)
    if name == "upper_cabinets":
        return kitchen.upper_cabinets(size["kitchen"], palette, style)
    if name == "backsplash":
        return kitchen.backsplash(size["kitchen"], palette)
    if name in ("left_drawer", "right_drawer"):
        return kitchen.top_drawer(size["kitchen"], palette, name)
    if name in ("middle_drawer", "bottom_drawer"):
        return kitchen.plain_drawer(size["kitchen"], palette, name)
    if name == "fridge":
        return kitchen.fridge(size["fridge"], palette)
    if name in ("fridge_left_door", "fridge_right_door"):
        return kitchen.fridge_door(size["fridge"], palette, name.split("_")[1])
    return None
