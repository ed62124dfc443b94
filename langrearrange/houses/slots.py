"""Objects meet slots: which slot at the start, which yaw, and the pose of any slot at any time.

Not for what an object looks like; sizes come from `models`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from langrearrange.errors import HouseError
from langrearrange.houses.geometry import Matrix, compose, rigid
from langrearrange.houses.homes import model_size
from langrearrange.houses.house import House, Surface
from langrearrange.seeding import KeyedRng
from langrearrange.world.vocabulary import OPENABLE_INDEX

_OVERFLOW_RISE_MM: Final = 110
_OVERFLOW_SHIFTS_MM: Final = (
    (0, 0), (45, 45), (-45, -45), (45, -45), (-45, 45), (60, 0), (-60, 0), (0, 60),
)  # fmt: skip
YAW_STEPS: Final = 64
"""Objects are turned by multiples of a 64th of a full turn, as far as their slot allows."""


def assign_slots(
    house: House, receptacle: str, model_ids: Sequence[str], rng: KeyedRng
) -> list[int]:
    """Return a start slot for each model: slots are random, taller objects stand farther back.

    Args:
        house: the flat.
        receptacle: one of the 11.
        model_ids: what starts there, in object order.
        rng: keyed draws; consumed the same way for the same arguments.

    Raises:
        HouseError: more models than slots, or an unknown model.
    """
    if not model_ids:
        return []
    surface = house.surfaces[receptacle]
    if len(model_ids) > len(surface.slots):
        raise HouseError(
            f"{house.id}: {receptacle} has {len(surface.slots)} slots, {len(model_ids)} objects "
            "cannot start there"
        )
    heights = [model_size(house, model_id)[2] for model_id in model_ids]
    by_height = rng.shuffled(range(len(model_ids)))
    by_height.sort(key=heights.__getitem__, reverse=True)
    from_back = rng.sample(range(len(surface.slots)), len(model_ids))
    from_back.sort(key=lambda slot: surface.slots[slot].row, reverse=True)
    result = [0] * len(model_ids)
    for model_index, slot in zip(by_height, from_back, strict=True):
        result[model_index] = slot
    return result


def draw_yaw(house: House, receptacle: str, model_id: str, rng: KeyedRng) -> int:
    """Return a yaw in [0, 6283) mrad at which the model stays within its slot's cell.

    Uniform over the 64 yaws that fit; a model too long for the cell at any yaw gets the tightest.
    """
    return rng.choice(_yaws(model_size(house, model_id), house.surfaces[receptacle].cell_mm))


def yaw_fits(house: House, receptacle: str, model_id: str, yaw_mrad: int) -> bool:
    """Whether a model at a yaw stays within the cells of a receptacle."""
    cell = house.surfaces[receptacle].cell_mm
    return _excess(model_size(house, model_id), cell, yaw_mrad) <= 0


@cache
def _yaws(size: tuple[int, int, int], cell: tuple[int, int]) -> tuple[int, ...]:
    yaws = [step * 6283 // YAW_STEPS for step in range(YAW_STEPS)]
    excess = [_excess(size, cell, yaw) for yaw in yaws]
    limit = max(0, min(excess))
    return tuple(yaw for yaw, over in zip(yaws, excess, strict=True) if over <= limit)


def _excess(size: tuple[int, int, int], cell: tuple[int, int], yaw_mrad: int) -> int:
    """Return by how much a turned rectangle exceeds a cell, mm (integer arithmetic only)."""
    cos, sin = abs(_sine_permille(yaw_mrad + 1571)), abs(_sine_permille(yaw_mrad))
    width = (size[0] * cos + size[1] * sin) // 1000
    depth = (size[0] * sin + size[1] * cos) // 1000
    return max(width - cell[0], depth - cell[1])


def _sine_permille(angle: int) -> int:
    """Return the sine of mrad, times 1000, by Bhaskara's rational formula (error < 2)."""
    angle %= 6283
    sign = 1
    if angle > 3141:
        angle, sign = angle - 3141, -1
    product = angle * (3142 - angle)
    return sign * (16000 * product // (5 * 9_870_000 - 4 * product))


def slot_pose(house: House, receptacle: str, slot: int, open_mask: int) -> Matrix:
    """Return the (3, 4) pose, in the house frame, of a slot's frame with the openables as given.

    An object's own yaw comes on top: `compose(slot_pose(...), rigid(0, 0, 0, yaw))`. Slots beyond
    the surface's own are overflow: layers above the slots, then the same a little aside.

    Raises:
        HouseError: a negative slot or an unknown receptacle.
    """
    surface = house.surfaces.get(receptacle)
    if surface is None or slot < 0:
        raise HouseError(
            f"{house.id}: no slot {slot} on '{receptacle}'; slots count from 0, receptacles are "
            f"{', '.join(house.surfaces)}"
        )
    local = _local_pose(surface, slot)
    if not surface.part:
        return local
    part = house.part(surface.part)
    is_open = part.openable and open_mask >> OPENABLE_INDEX[part.openable] & 1
    return compose(part.opened if is_open else part.closed, local)


def _local_pose(surface: Surface, slot: int) -> Matrix:
    layer, index = divmod(slot, len(surface.slots))
    base = surface.slots[index]
    round_, level = divmod(layer, max(1, surface.max_height_mm // _OVERFLOW_RISE_MM))
    shift_x, shift_y = _OVERFLOW_SHIFTS_MM[round_ % len(_OVERFLOW_SHIFTS_MM)]
    x, y, z = base.x_mm + shift_x, base.y_mm + shift_y, base.z_mm + level * _OVERFLOW_RISE_MM
    return rigid(x / 1000, y / 1000, z / 1000, base.yaw_mrad / 1000)
