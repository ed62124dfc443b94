"""A released episode -> an `Episode` of ours, but for its plan, which takes a solver.

Not for judging the episode (`generator.official`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import (
    Episode,
    ObjectPlacement,
    Pose,
    Start,
)
from langrearrange.dataset.official.goals import fact_text, goal_text
from langrearrange.dataset.official.names import (
    CATEGORY_OF_ASSET,
    PREFIX,
    RECEPTACLE_OF,
    known,
)
from langrearrange.dataset.official.records import OfficialEpisode, OfficialObject
from langrearrange.errors import EpisodeError
from langrearrange.world.vocabulary import OPENABLES

_Z_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""(x, y, z) there is (x, -z, y) here: a quarter turn about x, the inverse of our export's."""
_NO_TURN: Final = np.eye(3)
_LAST_ROW: Final = np.array([0.0, 0.0, 0.0, 1.0])
_MAX_METRES: Final = 1_000.0
_START: Final = re.compile(r"\((open|closed) ([a-z_]+)\)\Z")


def translate(
    episode: OfficialEpisode, episode_id: str, phrasing: int = 0, cluster: str = ""
) -> Episode:
    """Return a released episode in our format, with no plan and no subgoals yet.

    Args:
        episode: the record.
        episode_id: its id here, `official_context/000017`.
        phrasing: index of its wording within its template (`wordings.phrasings`).
        cluster: unit of chance for statistics; its template's id if empty.

    Raises:
        EpisodeError: it does not fit our format; the message says why.
        GoalError: its goal is none of ours.
    """
    return Episode(
        id=episode_id,
        split=episode_id.split("/")[0],
        template=episode.template,
        phrasing=phrasing,
        cluster=cluster or episode.template,
        instruction=episode.instruction,
        goal=goal_text(episode.goal),
        house=PREFIX + episode.scene,
        objects=_placements(episode.objects),
        open=_opened(episode.start_predicates),
        start=Start(x=0, y=0, yaw=0),
        plan=(),
        subgoals=(),
    )


def _placements(objects: Iterable[OfficialObject]) -> tuple[ObjectPlacement, ...]:
    of_category: dict[str, int] = {}
    on_receptacle: dict[str, int] = {}
    placed = []
    for thing in objects:
        category = known(CATEGORY_OF_ASSET, thing.asset, "asset")
        receptacle = known(RECEPTACLE_OF, thing.receptacle, "receptacle")
        number = of_category.setdefault(category, 0)
        slot = on_receptacle.setdefault(receptacle, 0)
        of_category[category] += 1
        on_receptacle[receptacle] += 1
        transform = thing.transform.astype(np.float64)
        rotation = _rotation(transform)
        yaw = math.atan2(rotation[1, 0], rotation[0, 0]) % math.tau
        placed.append(
            ObjectPlacement(
                id=f"{category}_{number}",
                category=category,
                model=thing.asset,
                receptacle=receptacle,
                slot=slot,
                yaw=round(yaw * 1000),
                pose=Pose(position=_position(transform), rotation=quaternion(rotation)),
            )
        )
    return tuple(placed)


def _rotation(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = transform[:3, :3]
    if (
        not np.isfinite(transform).all()
        or np.abs(transform[3] - _LAST_ROW).max() > 1e-4
        or np.abs(turn @ turn.T - _NO_TURN).max() > 1e-3
        or np.linalg.det(turn) < 0
        or np.abs(transform[:3, 3]).max() > _MAX_METRES
    ):
        raise EpisodeError("an object's transform is not a rotation and position within the scene")
    turned: NDArray[np.float64] = _Z_UP @ turn @ _Z_UP.T
    return turned


def _position(transform: NDArray[np.float64]) -> tuple[int, int, int]:
    x, y, z = (_Z_UP @ transform[:3, 3] * 1000).tolist()
    return round(x), round(y), round(z)


def quaternion(turn: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Return (w, x, y, z) of a rotation matrix times 10^6, w >= 0 (Shepperd 1978)."""
    trace = float(np.trace(turn))
    squares = [1 + trace, *(1 + 2 * turn[i, i] - trace for i in range(3))]
    k = max(range(4), key=squares.__getitem__)
    a, b, c = turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]
    d, e, f = turn[1, 0] + turn[0, 1], turn[0, 2] + turn[2, 0], turn[2, 1] + turn[1, 2]
    own = squares[k]
    row = np.array(((own, a, b, c), (a, own, d, e), (b, d, own, f), (c, e, f, own))[k], float)
    row *= (-1.0 if row[0] < 0 else 1.0) / np.linalg.norm(row)
    w, x, y, z = (round(value * 1_000_000) for value in row.tolist())
    return w, x, y, z


def _opened(start_predicates: Iterable[str]) -> tuple[str, ...]:
    """Fridge and drawers are closed in every released scene but for what the start opens."""
    opened = set()
    for fact in start_predicates:
        match = _START.match(fact_text(fact))
        if match is None:
            raise EpisodeError(f"the start sets {fact[:60]!a}; accepted: opened and closed")
        if match[1] == "open":
            opened.add(match[2])
    return tuple(name for name in OPENABLES if name in opened)
