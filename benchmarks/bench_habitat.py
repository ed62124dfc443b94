"""Frames per core-second in the embedded renderer and in Habitat: same flats, things and cameras.

    python benchmarks/bench_habitat.py [--python PYTHON] [--gpu INDEX] [--picture FILE.png]
    python benchmarks/bench_habitat.py --compare [--flats 105] [--size 128]

Needs habitat_sim here or in another Python (--python, or LANGREARRANGE_HABITAT_PYTHON); without it
nothing is measured. CPU time of all threads, the worker's included; loading is not counted. Both
draw every view once before the clock runs, and each figure is the best of three rounds that take
turns, in one run of this script. `--picture` instead draws some views in both, ours above;
`--compare` prints how far the pictures of both are apart, from the 16 stances of each flat, with
everything closed and everything open.
"""

import os
import platform
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from timing import options

from langrearrange.dataset import Episode
from langrearrange.errors import HabitatError
from langrearrange.generator import open_split
from langrearrange.habitat import HabitatSimulator
from langrearrange.habitat.simulator.client import Worker
from langrearrange.houses import houses_for
from langrearrange.sim import Camera, Frame, Simulator, load_episode
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.world import WorldState
from langrearrange.world.vocabulary import NAV_TARGETS, NUM_NAV_TARGETS

ROUNDS = 3
ALL_OPEN = 0b11111
FAR_M = 0.05


def cpu_s(simulator: Simulator) -> float:
    """Return the CPU time so far of this process and of the simulator's worker, seconds."""
    spent = time.process_time()
    worker = getattr(simulator, "_backend", None)
    if isinstance(worker, Worker):
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def load(simulator: Simulator, episode: Episode) -> WorldState:
    load_episode(simulator, episode)
    return episode.initial_state()


def path(simulator: Simulator, state: WorldState, views: int) -> list[Camera]:
    """Return the camera path: from stance to stance, round and round."""
    cameras = []
    for place in range(NUM_NAV_TARGETS):
        simulator.show(state._replace(place=place))
        cameras.append(simulator.head_camera())
    return [cameras[index % NUM_NAV_TARGETS] for index in range(views)]


def draw(simulator: Simulator, cameras: list[Camera], frame: Frame) -> float:
    """Draw the path once and return the frames per second of CPU time."""
    begin = cpu_s(simulator)
    for camera in cameras:
        simulator.render(camera, frame)
    return len(cameras) / (cpu_s(simulator) - begin)


def measure(habitat: HabitatSimulator, kinds: str, size: int, views: int, flats: int) -> None:
    embedded = EmbeddedSimulator()
    buffers = {
        "rgb": np.empty((size, size, 3), np.uint8),
        "depth": np.empty((size, size), np.float32),
        "segmentation": np.empty((size, size), np.int32),
    }
    frame = Frame(**{kind: buffers[kind] for kind in kinds.split("+")})
    source = open_split("new_scenes")
    best = {"embedded": [0.0] * flats, "habitat": [0.0] * flats}
    for index in range(flats):
        cameras: list[Camera] = []
        for simulator in (embedded, habitat):
            cameras = path(simulator, load(simulator, source.get(index * 31)), views)
            draw(simulator, cameras[:NUM_NAV_TARGETS], frame)
        for _ in range(ROUNDS):
            for name, simulator in (("embedded", embedded), ("habitat", habitat)):
                rate = draw(simulator, cameras, frame)
                best[name][index] = max(best[name][index], rate)
    ours, theirs = (float(np.mean(best[name])) for name in ("embedded", "habitat"))
    print(f"{kinds:26}{ours:12.0f}{theirs:12.0f}{ours / theirs:10.1f}")


PLACES = ("sofa", "fridge", "right_counter", "left_drawer", "chair", "tv_stand")


def picture(habitat: HabitatSimulator, size: int) -> Image.Image:
    """Return the same views in both simulators, the embedded renderer's above."""
    source = open_split("new_scenes")
    page = Image.new("RGB", (len(PLACES) * size, 2 * size))
    for row, simulator in enumerate((EmbeddedSimulator(), habitat)):
        for column, target in enumerate(PLACES):
            state = load(simulator, source.get(column * 17))
            open_mask = ALL_OPEN if target in ("fridge", "left_drawer") else 0
            place = NAV_TARGETS.index(target)
            simulator.show(state._replace(place=place, open_mask=open_mask))
            rgb = np.empty((size, size, 3), np.uint8)
            simulator.render(simulator.head_camera(), Frame(rgb=rgb))
            page.paste(Image.fromarray(rgb), (column * size, row * size))
    return page


def first_episodes() -> Iterator[Episode]:
    """Yield an episode in each of our flats."""
    for split, role in (("new_scenes", "test"), ("validation", "validation"), ("train", "train")):
        source, left = open_split(split), set(houses_for(role))
        for index in range(len(source)):
            episode = source.get(index)
            if episode.house in left:
                left.remove(episode.house)
                yield episode
            if not left:
                break


def stances(simulator: Simulator, episode: Episode, size: int) -> list[Frame]:
    """Return what is seen from every stance, with everything closed, then open."""
    state, frames = load(simulator, episode), []
    for open_mask in (0, ALL_OPEN):
        for place in range(NUM_NAV_TARGETS):
            simulator.show(state._replace(place=place, open_mask=open_mask))
            frame = Frame(
                np.empty((size, size, 3), np.uint8),
                np.empty((size, size), np.float32),
                np.empty((size, size), np.int32),
            )
            simulator.render(simulator.head_camera(), frame)
            frames.append(frame)
    return frames


def compare(habitat: HabitatSimulator, size: int, flats: int) -> None:
    embedded = EmbeddedSimulator()
    rows = []
    for episode in islice(first_episodes(), flats):
        pairs = zip(*(stances(s, episode, size) for s in (embedded, habitat)), strict=True)
        for ours, theirs in pairs:
            apart = np.abs(ours.depth - theirs.depth)
            light = theirs.rgb.mean() / ours.rgb.mean()
            colours = np.abs(ours.rgb.astype(int) - theirs.rgb).mean()
            parts = (ours.segmentation != theirs.segmentation).sum()
            rows.append((np.median(apart) * 1000, (apart > FAR_M).sum(), parts, colours, light))
    depth, far, parts, colours, light = np.array(rows).T
    print(f"{len(rows):,} views of {size} x {size}, {len(rows) * size * size / 1e6:.1f} M pixels")
    print(f"depth, median difference in mm: mean {depth.mean():.4f}, worst view {depth.max():.4f}")
    print(f"depth off by more than {FAR_M} m: {far.sum():,.0f} pixels, at most {far.max():.0f}")
    print(f"another part in segmentation: {parts.sum():,.0f} pixels, at most {parts.max():.0f}")
    print(f"colours, mean difference of 255: {colours.mean():.2f}, worst view {colours.max():.2f}")
    least, most = light.min(), light.max()
    print(f"brightness, Habitat / embedded: {light.mean():.4f}, {least:.4f} to {most:.4f}")


def main() -> None:
    args = options(
        __doc__, python="", gpu=-1, views=240, size=0, flats=0, picture="", compare=False
    )
    try:
        habitat = HabitatSimulator(habitat_python=args.python or None, habitat_gpu=args.gpu)
    except HabitatError as error:
        print(f"nothing measured: {error}")
        return
    if args.picture:
        picture(habitat, args.size or 256).save(args.picture)
        return
    if args.compare:
        compare(habitat, args.size or 128, args.flats or 105)
        return
    size, flats = args.size or 256, args.flats or 4
    where = "software OpenGL" if args.gpu < 0 else f"GPU {args.gpu}"
    print(
        f"frames per core-second, {size} x {size}, {flats} flats of new_scenes, "
        f"{args.views} views each; Habitat on {where}; Python {platform.python_version()}"
    )
    print(f"{'':26}{'embedded':>12}{'habitat':>12}{'ratio':>10}")
    for kinds in ("rgb", "depth", "rgb+depth+segmentation"):
        measure(habitat, kinds, size, args.views, flats)
    habitat.close()


if __name__ == "__main__":
    main()
