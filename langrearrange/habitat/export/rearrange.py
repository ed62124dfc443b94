"""Episodes as a habitat-lab rearrange data set over exported flats. Not the flats themselves.

`RearrangeDataset-v0` of habitat-lab loads the file: things with their poses, what is open, where
our plan leaves things (its `targets`), handles as markers. Sentence, goal and plan ride in `info`.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from langrearrange.dataset.episode import Episode, ObjectPlacement
from langrearrange.dataset.source import Selection
from langrearrange.errors import HouseError
from langrearrange.habitat.export.pieces import (
    furniture_handle,
    joint_of,
    link_indices,
    piece_of,
    scene_file,
)
from langrearrange.habitat.frames import Rows, quaternion_y_up, translation_y_up, y_up
from langrearrange.houses.flats import HOUSE_IDS
from langrearrange.houses.geometry import Matrix, Pose2D, compose, rigid
from langrearrange.houses.homes import get_house
from langrearrange.houses.house import House
from langrearrange.houses.meshes import part_mesh
from langrearrange.houses.slots import slot_pose
from langrearrange.world import WorldState, apply, skill_index
from langrearrange.world.vocabulary import (
    IN_HAND,
    OPENABLE_INDEX,
    OPENABLES,
    RECEPTACLES,
    handle_of,
)

TARGETS: Final = "any_targets"
"""What habitat-lab's own data sets call the things to be moved: `any_targets|0`, ..."""


class RearrangeFile(NamedTuple):
    """A written data set: where it is, how many episodes, the flats they play in, sorted."""

    path: Path
    num_episodes: int
    house_ids: tuple[str, ...]


class _Thing(NamedTuple):
    """An object under the name that habitat-lab gives it: `<model>_:<number, 4 digits>`."""

    number: int
    instance: str
    placement: ObjectPlacement


def export_rearrange(
    episodes: Selection,
    out: Path,
    scene_dataset_config: Path,
    advance: Callable[[int, str], None] = lambda steps, note: None,
) -> RearrangeFile:
    """Write episodes as `<out>/<split>/<split>.json.gz`, streaming.

    Args:
        episodes: of one split; they play in our flats.
        out: folder of rearrange data sets, made if needed.
        scene_dataset_config: what `export_habitat` returned; paths in the episodes begin with its
            folder, so a relative one is relative to where habitat-lab is started.
        advance: called with (1, id) after each episode.

    Raises:
        HouseError: an episode plays in a home that we cannot export.
    """
    _refuse_imported(next(iter(episodes)))
    houses: set[str] = set()
    folder = out / episodes.split
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{episodes.split}.json.gz"
    partial = path.with_name(path.name + ".partial")
    with (
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        io.TextIOWrapper(packed, "utf-8") as text,
    ):
        text.write('{"episodes": [')
        for position, episode in enumerate(episodes):
            record = rearrange_episode(episode, position, scene_dataset_config)
            text.write((",\n" if position else "\n") + json.dumps(record))
            houses.add(episode.house)
            advance(1, episode.id)
        text.write("\n]}\n")
    partial.replace(path)
    return RearrangeFile(path, len(episodes), tuple(sorted(houses)))


def write_readme(out: Path, scene_dataset_config: Path) -> Path:
    """Write how habitat-lab is pointed at the data sets under `out`; returns the file's path."""
    path = out / "README.md"
    text = _README.format(config=scene_dataset_config.as_posix(), out=out.as_posix())
    path.write_text(text)
    return path


_README: Final = """\
# Rearrange data sets for habitat-lab

Each folder is a split, `<split>/<split>.json.gz`, in the format of `RearrangeDataset-v0`. Paths are
relative to where `langrearrange export` was called, unless `--out` was absolute: start
habitat-lab there. habitat-lab wants a folder `data/` where it starts, which may be empty
(`mkdir -p data`).

Point a rearrange config of habitat-lab at them:

    habitat.dataset.type=RearrangeDataset-v0
    habitat.dataset.data_path={out}/{{split}}/{{split}}.json.gz
    habitat.dataset.split=<split>
    habitat.dataset.scenes_dir={out}
    habitat.simulator.scene_dataset={config}
    habitat.simulator.additional_object_paths=[]
    habitat.simulator.kinematic_mode=True

`targets` are where the stored plan leaves things; `info["langrearrange"]` holds sentence, goal and
plan. Other ends may satisfy the goal as well: habitat-lab judges distances to targets, not goals.
`start_position` and `start_rotation` (x, y, z, w) are the robot's, which faces +x unturned; tasks
that draw a start of their own ignore them. Markers are called as our handles.
"""


def rearrange_episode(
    episode: Episode, position: int, scene_dataset_config: Path
) -> dict[str, Any]:
    """Return one episode as the fields of habitat-lab's `RearrangeEpisode`, plain JSON.

    Its `episode_id` is the position in the file, as habitat-lab numbers them; our id is in `info`.

    Raises:
        HouseError: it plays in a home that we cannot export.
    """
    _refuse_imported(episode)
    house = get_house(episode.house)
    start, end = episode.initial_state(), _state_after(episode)
    things = _things(episode)
    targets = dict(_targets(house, things, start, end))
    receptacles = {thing.instance: _receptacle(house, start, thing.number) for thing in things}
    goals = {thing.instance: _receptacle(house, end, thing.number) for thing in things}
    base = Pose2D(episode.start.x, episode.start.y, episode.start.yaw).matrix()
    w, x, y, z = quaternion_y_up(base)
    return {
        "episode_id": str(position),
        "scene_id": scene_file(scene_dataset_config, house.id),
        "scene_dataset_config": scene_dataset_config.as_posix(),
        "additional_obj_config_paths": [],
        "start_position": translation_y_up(base),
        "start_rotation": [x, y, z, w],
        "info": {
            "object_labels": {name: f"{TARGETS}|{i}" for i, name in enumerate(targets)},
            "langrearrange": {
                "id": episode.id,
                "instruction": episode.instruction,
                "goal": episode.goal,
                "plan": list(episode.plan),
                "template": episode.template,
                "house": house.id,
            },
        },
        "ao_states": _ao_states(house, episode.open),
        "rigid_objs": [[_handle(thing.placement), _pose(house, start, thing)] for thing in things],
        "targets": targets,
        "markers": list(_markers(house)),
        "target_receptacles": [receptacles[name][:2] for name in targets],
        "goal_receptacles": [goals[name][:2] for name in targets],
        "name_to_receptacle": {
            name: f"{found[0]}|receptacle_aabb_{found[2]}" for name, found in receptacles.items()
        },
    }


def _refuse_imported(episode: Episode) -> None:
    if episode.house not in HOUSE_IDS:
        raise HouseError(
            f"{episode.id} plays in '{episode.house}', which is not one of our flats; habitat-lab "
            "reads the official release's own file"
        )


def _things(episode: Episode) -> list[_Thing]:
    """Return the objects sorted and numbered as habitat-lab does when it loads an episode."""
    counts: dict[str, int] = {}
    things = []
    order = sorted(range(len(episode.objects)), key=lambda i: _handle(episode.objects[i]))
    for index in order:
        placement = episode.objects[index]
        number = counts.setdefault(placement.model, 0)
        counts[placement.model] += 1
        things.append(_Thing(index, f"{placement.model}_:{number:04d}", placement))
    return things


def _handle(placement: ObjectPlacement) -> str:
    return f"{placement.model}.object_config.json"


def _state_after(episode: Episode) -> WorldState:
    layout, state = episode.layout(), episode.initial_state()
    for skill in episode.plan:
        state, _ = apply(layout, state, skill_index(skill))
    return state


def _pose(house: House, state: WorldState, thing: _Thing) -> list[list[float]]:
    receptacle = RECEPTACLES[state.receptacles[thing.number]]
    slot = slot_pose(house, receptacle, state.slots[thing.number], state.open_mask)
    pose = y_up(compose(slot, rigid(0, 0, 0, thing.placement.yaw / 1000)))
    rows: Rows = (np.round(pose, 6) + 0.0).tolist()
    return rows


def _targets(
    house: House, things: Sequence[_Thing], start: WorldState, end: WorldState
) -> Iterator[tuple[str, list[list[float]]]]:
    """Yield what our plan moves and where it leaves it; nothing for what ends in the hand."""
    for thing in things:
        moved = start.receptacles[thing.number] != end.receptacles[thing.number]
        if moved and end.receptacles[thing.number] != IN_HAND:
            yield thing.instance, _pose(house, end, thing)


def _receptacle(house: House, state: WorldState, index: int) -> tuple[str, int | None, str]:
    """Return (instance that bears the receptacle, its link or None, the receptacle's id)."""
    if state.receptacles[index] == IN_HAND:
        return "", None, ""
    receptacle = RECEPTACLES[state.receptacles[index]]
    piece = piece_of(receptacle)
    if not piece:
        return f"{furniture_handle(house, receptacle)}_:0000", None, receptacle
    links = link_indices(house, piece)
    return f"{house.id}_{piece}_:0000", links[receptacle], receptacle


def _ao_states(house: House, opened: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return link index -> joint position of what is open; all else is closed in the scene."""
    states: dict[str, dict[str, float]] = {}
    for part in house.parts:
        if part.openable and part.openable in opened:
            piece = piece_of(part.name)
            link = link_indices(house, piece)[part.name]
            states.setdefault(f"{house.id}_{piece}_:0000", {})[str(link)] = joint_of(part).travel
    return states


def _markers(house: House) -> Iterator[dict[str, Any]]:
    """Yield a marker for each handle: the middle of a front, in its link's frame, y up."""
    for openable in sorted(OPENABLES, key=OPENABLE_INDEX.__getitem__):
        part = next(part for part in house.parts if part.openable == openable)
        piece = piece_of(part.name)
        low, high = part_mesh(part.mesh).bounds.astype(float)
        middle: Matrix = rigid((low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2, 0)
        yield {
            "name": handle_of(openable),
            "type": "articulated_object",
            "params": {
                "offset": translation_y_up(middle),
                "link": part.name,
                "object": f"{house.id}_{piece}_:0000",
            },
        }
