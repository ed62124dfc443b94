"""Prints, as JSON, what the two version constants key; the arguments name a version and its value.

A program of its own, since caches and `from` imports keep what was drawn before.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from pathlib import Path

from langrearrange import seeding

setattr(seeding, sys.argv[1], sys.argv[2])
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "sim")]

from golden_frames import VIEWS, digests, draw  # noqa: E402

from langrearrange.dataset import EpisodeList, encode_episode  # noqa: E402
from langrearrange.env.sampling import Pools, Sampler  # noqa: E402
from langrearrange.generator import load_spec, make_episode  # noqa: E402
from langrearrange.houses import HOUSE_IDS, get_house, part_mesh  # noqa: E402


def flat(house_id: str) -> str:
    house = get_house(house_id)
    geometry = (house.stances, house.surfaces, house.start_cells, house.relations)
    hasher = hashlib.sha256(repr(geometry).encode())
    for part in house.parts:
        mesh = part_mesh(part.mesh)
        hasher.update(mesh.positions.tobytes() + mesh.colors.tobytes())
    return hasher.hexdigest()


def order(sampling: str) -> list[int]:
    """Return which episodes a sampler draws."""
    episodes = [make_episode(load_spec("train_mini"), index) for index in range(40)]
    ids = {episode.id: index for index, episode in enumerate(episodes)}
    source = EpisodeList(episodes)
    sampler = Sampler(Pools(source), sampling)
    sampler.seed(3)
    draws = itertools.islice(iter(sampler.next, None), 60)
    return [ids[source.id_at(drawn.position)] for drawn in draws if drawn is not None]


json.dump({
    "episodes": [
        hashlib.sha256(encode_episode(make_episode(load_spec(split), index))).hexdigest()
        for split in ("train", "spatial_relationships", "new_scenes")
        for index in range(10)
    ],
    "flats": {house_id: flat(house_id) for house_id in HOUSE_IDS[::53]},
    "frames": {name: digests(draw(VIEWS[name])) for name in ("start", "fridge_open")},
    "orders": [order("weighted"), order("uniform")],
}, sys.stdout)  # fmt: skip
