"""Meshes of house parts, made on first use. For object models see `houses.models`."""

from functools import lru_cache

from langrearrange.errors import HouseError
from langrearrange.houses import rooms
from langrearrange.houses.blocks import upturned
from langrearrange.houses.decor import decor_mesh
from langrearrange.houses.flats import furnishing_of, parse_house_id
from langrearrange.houses.furnish import Furnishing
from langrearrange.houses.furniture import NUM_STYLES
from langrearrange.houses.inventory import PART_DESIGNS
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
        HouseError: unknown flat or part.
    """
    house_id, _, name = mesh_key.partition("/")
    plan, number = parse_house_id(house_id)
    design, palette = furnishing_of(house_id), palette_of(plan, number)
    if name not in PART_DESIGNS:
        mesh = _shell(design, palette, name)
        if mesh is None:
            raise HouseError(f"flat '{house_id}' has no part '{name}'; see House.parts")
        return mesh
    furniture, part = PART_DESIGNS[name]
    style = KeyedRng(HOUSE_VERSION, "flat", plan, number, "style", name).below(NUM_STYLES)
    mesh = part.build(design.pieces[furniture.name].size, palette, style)
    if part.padded:
        mesh = shaded(mesh, openness(mesh, occluders([mesh], 0.025, 0.25)), 0.5)
    if part.bounce:
        mesh = upturned(mesh, part.bounce)
    return with_box_uv(mesh, *part.texture) if part.texture[0] else mesh


def _shell(design: Furnishing, palette: Palette, name: str) -> Mesh | None:
    """Return floors, walls, ceilings and decor, with light from the floor; None for the rest."""
    kind, _, rest = name.partition("_")
    if name == "wall_tops":
        return rooms.wall_tops(design, (92, 90, 88))
    if kind == "decor" and rest.isdecimal() and int(rest) < len(design.ornaments):
        return upturned(decor_mesh(design.ornaments[int(rest)], palette), 0.35)
    if rest not in design.plan.rooms:
        return None
    if kind == "floor":
        return rooms.floor(design, rest, palette.floors[rest])
    if kind == "walls":
        return upturned(with_box_uv(rooms.walls(design, rest, palette), "plaster", 2.0), 0.4)
    if kind == "ceiling":
        return upturned(rooms.ceiling(design, rest, palette), 0.8)
    return None
