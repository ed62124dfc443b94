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
from langrearrange.houses.flats import furnishing_of
from langrearrange.leaderboard.animation import record, write_animation
from langrearrange.sim.camera import Vector, look_at
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.embedded.portraits import models_sheet
from langrearrange.sim.protocol import Camera, Frame
from langrearrange.world import skill_index

HERE = Path(__file__).resolve().parent
AWAY = Pose2D(-50_000, -50_000, 0)
"""Where the robot waits while flats are photographed."""
WIDTH, HEIGHT, COLUMNS, GAP = 320, 240, 4, 4
EYE_M, HFOV_DEG = 1.45, 76.0
FLATS = (
    ("flat_0_03", "sofa"), ("flat_1_05", "kitchen"), ("flat_2_07", "black_table"),
    ("flat_3_11", "sofa"), ("flat_4_02", "kitchen"), ("flat_0_16", "brown_table"),
    ("flat_1_12", "tv_stand"), ("flat_2_18", "kitchen"), ("flat_3_05", "chair"),
    ("flat_4_14", "sofa"), ("flat_0_09", "kitchen"), ("flat_1_20", "black_table"),
)  # fmt: skip
"""Flat and what to look at in it: all plans, all rooms."""
EPISODE = "train_eval/000058"
SPLIT_OF_PLAN = {0: "train", 1: "train", 2: "train", 3: "validation", 4: "new_scenes"}


def main(names: list[str]) -> None:
    """Make the pictures that are named, or all."""
    makers = {"flats": make_flats, "models": make_models, "episode": make_episode}
    for name in names or makers:
        path = makers[name]()
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def make_flats() -> Path:
    """A strip of rooms with the things of some episode in them."""
    pictures = [photograph(house_id, subject) for house_id, subject in FLATS]
    rows = -(-len(pictures) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) - GAP, rows * (HEIGHT + GAP) - GAP)
    strip = Image.new("RGB", size, (255, 255, 255))
    for index, picture in enumerate(pictures):
        at = index % COLUMNS * (WIDTH + GAP), index // COLUMNS * (HEIGHT + GAP)
        strip.paste(Image.fromarray(picture), at)
    return save(strip, "flats.png")


def photograph(house_id: str, subject: str) -> np.ndarray:
    """Return a room, (HEIGHT, WIDTH, 3), seen from far off its piece of furniture `subject`."""
    episode = household(house_id)
    simulator = EmbeddedSimulator(quality="supersampled")
    simulator.load(get_house(house_id), episode.objects, AWAY)
    simulator.show(episode.initial_state())
    frame = Frame(rgb=np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    simulator.render(viewpoint(house_id, subject), frame)
    return frame.rgb


def household(house_id: str) -> Episode:
    """Return the episode with most things among the first that take place in a flat."""
    source = open_split(SPLIT_OF_PLAN[get_house(house_id).plan])
    found = (source.get(index) for index in range(min(len(source), 1500)))
    return max((e for e in found if e.house == house_id), key=lambda e: len(e.objects))


def viewpoint(house_id: str, subject: str) -> Camera:
    """Return a camera in a free spot of the room, far from the subject and a little aside."""
    design, house = furnishing_of(house_id), get_house(house_id)
    fixture = design.fixtures[subject]
    x0, y0, x1, y1 = fixture.footprint
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    room = design.plan.rooms[fixture.room]
    cells = np.array(
        [c for c in house.start_cells if room.x0 < c[0] < room.x1 and room.y0 < c[1] < room.y1]
    )
    forward = fixture.frame.viewer_yaw_mrad / 1000
    toward = middle - cells
    distance = np.linalg.norm(toward, axis=1)
    aside = np.arctan2(toward[:, 1], toward[:, 0]) - forward
    aside = np.abs((aside + np.pi) % (2 * np.pi) - np.pi)
    eye = cells[np.argmax(distance / 1000 - 2.5 * np.abs(aside - 0.55))] / 1000
    look = middle / 1000
    height = 0.85 if subject == "kitchen" else 0.6
    return look_at(Vector(*eye, EYE_M), Vector(*look, height), HFOV_DEG)


def make_models() -> Path:
    """Every model of a thing, its id below."""
    return save(Image.fromarray(models_sheet(columns=12, size_px=88)), "models.png")


def make_episode() -> Path:
    """The oracle's way through an episode: camera, map and sentence."""
    split, _ = EPISODE.split("/")
    source = open_split(split)
    episode = source.get(source.index_of(EPISODE))
    pictures = record(episode, [skill_index(skill) for skill in episode.plan])
    return write_animation(HERE / "episode.gif", pictures)


def save(picture: Image.Image, name: str) -> Path:
    """Save with 256 colours: a third of the size, hard to tell apart."""
    path = HERE / name
    picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(
        path, optimize=True
    )
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
