"""The procedural flats as a source of homes."""

from collections.abc import Mapping, Sequence

from langrearrange.houses.flats import FLATS_OF, build_flat
from langrearrange.houses.homes import HomeSource
from langrearrange.houses.house import House
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.meshes import part_mesh


class FlatSource(HomeSource):
    """The 105 flats, with our own models in them."""

    def roles(self) -> Mapping[str, Sequence[str]]:
        """Return `train` (63), `validation` (21) and `test` (21): no floor plan is shared."""
        return FLATS_OF

    def house(self, name: str) -> House:
        """Return a flat; HouseError for an unknown id."""
        return build_flat(name)

    def part_mesh(self, key: str) -> Mesh:
        """See `houses.part_mesh`."""
        return part_mesh(key)
