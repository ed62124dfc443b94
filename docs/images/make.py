"""Makes the pictures of the README: a sheet of flats, all models, an episode. Run it anywhere.

python docs/images/make.py            # all three, beside this file
python docs/images/make.py flats      # one of flats, models, episode
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from langrearrange.dataset import Episode
from langrearrange.generator import open_split
from langrearrange.houses import Pose2D, get_house
from langrearrange.houses.flats import parse_house_id
from langrearrange.leaderboard.animation import record, write_animation
from langrearrange.sim import Camera, Frame
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.embedded.gallery import contact_sheet
from langrearrange.sim.embedded.portraits import models_sheet
from langrearrange.world import skill_index
from langrearrange.world.vocabulary import NAV_INDEX

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT, COLUMNS, BACK_M = 320, 240, 4, 1.3
FLATS = {
    "flat_0_18": "tv_stand", "flat_1_05": "sink", "flat_2_07": "brown_table", "flat_3_00": "sofa",
    "flat_4_10": "left_counter", "flat_0_12": "chair", "flat_1_12": "sofa",
    "flat_2_18": "right_counter", "flat_3_06": "chair", "flat_4_14": "black_table",
    "flat_0_09": "fridge", "flat_1_20": "sofa",
}  # fmt: skip
"""Flat -> what is looked at: all plans, all fixtures."""
EPISODE = "train_eval/000058"
SPLIT_OF_PLAN = ("train", "train", "train", "validation", "new_scenes")


def main(names: list[str]) -> None:
    """Make the pictures that are named, or all."""
    makers = {"flats": make_flats, "models": make_models, "episode": make_episode}
    for name in names or makers:
        path = makers[name]()
        sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")


def make_flats() -> Path:
    """Fixtures of twelve flats with things on them, as the robot sees them from a step back."""
    pictures = [photograph(household(flat), target) for flat, target in FLATS.items()]
    return save(contact_sheet(pictures, list(FLATS), COLUMNS), "flats.png")


def household(house_id: str) -> Episode:
    """Return the episode with most things among the first that take place in a flat."""
    source = open_split(SPLIT_OF_PLAN[parse_house_id(house_id)[0]])
    found = (source.get(index) for index in range(min(len(source), 1500)))
    return max((e for e in found if e.house == house_id), key=lambda e: len(e.objects))


def photograph(episode: Episode, target: str) -> NDArray[np.uint8]:
    """Return the image from a step behind a stance's head camera, without the robot's arm."""
    simulator = EmbeddedSimulator(quality="supersampled")
    start = Pose2D(episode.start.x, episode.start.y, episode.start.yaw)
    simulator.load(get_house(episode.house), episode.objects, start)
    simulator.show(episode.initial_state()._replace(place=NAV_INDEX[target]))
    head = simulator.head_camera()
    view = head.view.copy()
    view[2, 3] -= BACK_M
    simulator.show(episode.initial_state())
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    simulator.render(Camera(view, head.hfov_deg), Frame(rgb=rgb))
    return rgb


def make_models() -> Path:
    """Every model of a thing, its id below."""
    return save(models_sheet(columns=12, size_px=96), "models.png")


def make_episode() -> Path:
    """The oracle's way through an episode: camera, map and sentence."""
    source = open_split(EPISODE.partition("/")[0])
    episode = source.get(source.index_of(EPISODE))
    pictures = record(episode, [skill_index(skill) for skill in episode.plan])
    return write_animation(HERE / "episode.gif", pictures)


def save(picture: NDArray[np.uint8], name: str) -> Path:
    """Save with levels rounded to every fourth: two thirds of the size, to the eye the same."""
    path = HERE / name
    levels = picture // 4 * 4 + 2
    Image.fromarray(levels.astype(np.uint8)).save(path, optimize=True)
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
