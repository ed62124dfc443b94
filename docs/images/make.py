"""Makes the pictures of the README: a strip of flats, all models, an episode. Run it anywhere.

python docs/images/make.py            # all three, beside this file
python docs/images/make.py flats      # one of flats, models, episode
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from langrearrange.dataset import Episode
from langrearrange.generator import open_split
from langrearrange.houses import Pose2D, get_house
from langrearrange.houses.flats import furnishing_of, parse_house_id
from langrearrange.houses.placement import Rect
from langrearrange.leaderboard.animation import record, write_animation
from langrearrange.sim.camera import Vector, look_at
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.embedded.portraits import models_sheet
from langrearrange.sim.protocol import SEGMENT_PART, Camera, Frame
from langrearrange.world import skill_index

HERE = Path(__file__).resolve().parent
AWAY = Pose2D(-50_000, -50_000, 0)
"""Where the robot waits while flats are photographed."""
WIDTH, HEIGHT, COLUMNS, GAP = 320, 240, 4, 4
EYE_M, HFOV_DEG = 1.45, 72.0
FLATS = (
    ("flat_0_18", "living_room"), ("flat_1_05", "kitchen"), ("flat_2_07", "dining_room"),
    ("flat_3_00", "living_room"), ("flat_4_10", "kitchen"), ("flat_0_12", "living_room"),
    ("flat_1_12", "living_room"), ("flat_2_18", "kitchen"), ("flat_3_06", "study"),
    ("flat_4_14", "living_room"), ("flat_0_09", "kitchen"), ("flat_1_20", "living_room"),
)  # fmt: skip
"""Flat and room: all plans, all rooms."""
EPISODE = "train_eval/000058"
SPLIT_OF_PLAN = {0: "train", 1: "train", 2: "train", 3: "validation", 4: "new_scenes"}


def main(names: list[str]) -> None:
    """Make the pictures that are named, or all."""
    makers = {"flats": make_flats, "models": make_models, "episode": make_episode}
    for name in names or makers:
        path = makers[name]()
        sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")


def make_flats() -> Path:
    """A strip of rooms with the things of some episode in them."""
    pictures = [photograph(house_id, room) for house_id, room in FLATS]
    rows = -(-len(pictures) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) - GAP, rows * (HEIGHT + GAP) - GAP)
    strip = Image.new("RGB", size, (255, 255, 255))
    for index, picture in enumerate(pictures):
        at = index % COLUMNS * (WIDTH + GAP), index // COLUMNS * (HEIGHT + GAP)
        strip.paste(Image.fromarray(picture), at)
    return save(strip, "flats.png")


def photograph(house_id: str, room: str) -> np.ndarray:
    """Return a room with things in it, (HEIGHT, WIDTH, 3)."""
    episode = household(house_id)
    simulator = EmbeddedSimulator(quality="supersampled")
    simulator.load(get_house(house_id), episode.objects, AWAY)
    simulator.show(episode.initial_state())
    frame = Frame(rgb=np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    simulator.render(viewpoint(simulator, house_id, room), frame)
    return frame.rgb


def household(house_id: str) -> Episode:
    """Return the episode with most things among the first that take place in a flat."""
    source = open_split(SPLIT_OF_PLAN[parse_house_id(house_id)[0]])
    found = (source.get(index) for index in range(min(len(source), 1500)))
    return max((e for e in found if e.house == house_id), key=lambda e: len(e.objects))


def viewpoint(simulator: EmbeddedSimulator, house_id: str, room: str) -> Camera:
    """Return the camera in a room that shows most: many pieces, near enough, none in the way."""
    design, house = furnishing_of(house_id), get_house(house_id)
    inside = design.plan.rooms[room]
    cells = [
        c
        for c in house.start_cells
        if inside.x0 < c[0] < inside.x1 and inside.y0 < c[1] < inside.y1
    ]
    views = [
        look_at(
            Vector(x, y, EYE_M), Vector(x + np.cos(yaw), y + np.sin(yaw), EYE_M - 0.3), HFOV_DEG
        )
        for x, y in np.array(cells[:: max(1, len(cells) // 60)]) / 1000
        for yaw in np.arange(16) * np.pi / 8 + 0.2
    ]
    parts = house.parts
    own = {
        SEGMENT_PART + i
        for i, part in enumerate(parts)
        if inside.grown(60).holds(Rect(*(2 * [*(1000 * part.closed[:2, 3]).astype(int).tolist()])))
        and part.semantic not in ("wall", "floor", "ceiling")
    }
    decor = {SEGMENT_PART + i for i, part in enumerate(parts) if part.semantic == "decor"}
    return max(views, key=lambda view: interest(simulator, view, own, decor))


def interest(simulator: EmbeddedSimulator, view: Camera, own: set[int], decor: set[int]) -> float:
    """Return how much a view shows: furniture of the room, whole, and things on it; no close-up."""
    frame = Frame(
        segmentation=np.zeros((HEIGHT // 4, WIDTH // 4), np.int32),
        depth=np.zeros((HEIGHT // 4, WIDTH // 4), np.float32),
    )
    simulator.render(view, frame)
    seen = frame.segmentation
    border = set(np.concatenate([seen[:, 0], seen[:, -1], seen[-1]]).tolist())
    score = 0.0
    ids, counts = np.unique(seen, return_counts=True)
    for value, count in zip(ids.tolist(), counts.tolist(), strict=True):
        share = count / seen.size
        if value < SEGMENT_PART:
            score += 0.15 * min(share / 0.0008, 1.0)
        elif value in own:
            worth = (0.6 if value in decor else 1.6) * (0.4 if value in border else 1.0)
            score += worth * min(share / 0.04, 1.0) - max(0.0, share - 0.2) * 20
        else:
            score -= max(0.0, share - 0.35) * 10
    return score - 10 * float((frame.depth < 1.1).mean())


def make_models() -> Path:
    """Every model of a thing, its id below."""
    return save(Image.fromarray(models_sheet(columns=12, size_px=96)), "models.png")


def make_episode() -> Path:
    """The oracle's way through an episode: camera, map and sentence."""
    split, _ = EPISODE.split("/")
    source = open_split(split)
    episode = source.get(source.index_of(EPISODE))
    pictures = record(episode, [skill_index(skill) for skill in episode.plan])
    return write_animation(HERE / "episode.gif", pictures)


def save(picture: Image.Image, name: str) -> Path:
    """Save with levels rounded to every fourth: two thirds of the size, to the eye the same."""
    path = HERE / name
    levels = np.asarray(picture) // 4 * 4 + 2
    Image.fromarray(levels.astype(np.uint8)).save(path, optimize=True)
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
