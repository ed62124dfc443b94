"""What opens in a Habitat scene: by our exporter's names of links, or by ReplicaCAD's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.official.names import OPENABLE_OF
from langrearrange.habitat.data.articulated import Articulated
from langrearrange.habitat.data.reading import scaled
from langrearrange.habitat.frames import Transform
from langrearrange.houses.inventory import PART_DESIGNS
from langrearrange.world.vocabulary import OPENABLES


@dataclass(frozen=True, slots=True, eq=False)
class PlacedOpenable:
    """Something that opens in a scene.

    Attributes:
        name: our openable.
        handle: Habitat's instance handle.
        joints: joint name -> its position when open, rad or m; 0 is closed.
        links: names of the links that move, in the joints' order.
        grip: (3,), where it is pulled, in the scene, closed.
        travel: (3,) how far its first link shifts when it opens; 0 for what turns.
    """

    name: str
    handle: str
    joints: Mapping[str, float]
    links: tuple[str, ...]
    grip: NDArray[np.float64]
    travel: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Marker:
    """Where something opens: its link, a point in the link's frame, how far it opens."""

    link: str
    offset: tuple[float, float, float]
    opened: float


_CAB: Final = (0.3, 0.0, 0.0)
_RELEASED: Final = {
    "cab_push_point_7": _Marker("drawer1_top", _CAB, 0.45),
    "cab_push_point_6": _Marker("drawer2_top", _CAB, 0.45),
    "cab_push_point_5": _Marker("drawer3", _CAB, 0.45),
    "cab_push_point_4": _Marker("drawer4", _CAB, 0.45),
    "fridge_push_point": _Marker("top_door", (0.10, -0.62, 0.2), 1.22),
}
"""Markers of ReplicaCAD's episodes. A fact of the release; not in the scenes' files."""
_RELEASED_MARKERS: Final = {OPENABLE_OF[name]: marker for name, marker in _RELEASED.items()}


def find_openables(
    tree: Articulated, handle: str, base: Transform, scale: float
) -> Iterator[PlacedOpenable]:
    """Yield what of a URDF's links is one of our openables.

    Args:
        tree: the URDF.
        handle: Habitat's instance handle of the whole.
        base: (4, 4), where the whole stands.
        scale: of the instance.
    """
    for name in OPENABLES:
        marker = _RELEASED_MARKERS[name]
        links = _our_links(tree, name)
        if links:
            joints = {j.name: j.upper for link in links if (j := tree.joint_above(link))}
            grip = (0.0, 0.0, 0.0)
        elif marker.link in tree.links and (joint := tree.joint_above(marker.link)):
            links, joints, grip = (marker.link,), {joint.name: marker.opened}, marker.offset
        else:
            continue
        closed, opened = (
            base @ scaled(tree.link_frame(links[0], positions), scale) for positions in ({}, joints)
        )
        yield PlacedOpenable(
            name,
            handle,
            joints,
            links,
            closed[:3, :3] @ (scale * np.array(grip)) + closed[:3, 3],
            opened[:3, 3] - closed[:3, 3],
        )


def _our_links(tree: Articulated, openable: str) -> tuple[str, ...]:
    """Return the links by which one of our exported flats opens something."""
    wanted = tuple(p.name for _, p in PART_DESIGNS.values() if p.openable == openable)
    return wanted if all(link in tree.links for link in wanted) else ()
