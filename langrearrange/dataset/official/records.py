"""The released files' records: decoded data -> checked values. Not what they mean to us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import MAX_INSTRUCTION, MAX_OBJECTS
from langrearrange.dataset.official.pickle_data import DEFAULT_MAX_BYTES, Array, read_pickle
from langrearrange.errors import DatasetError, EpisodeError

_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_SCENE: Final = re.compile(r"(?:.*/)?([A-Za-z0-9_]{1,60})\.scene_instance\.json\Z")
_ASSET: Final = re.compile(r"(?:.*/)?([A-Za-z0-9_-]{1,60})\.object_config\.json\Z")
_MAX_FACTS: Final = 16
"""Entries of the small lists and dicts of an episode; released ones have up to 8."""
_T = TypeVar("_T")
_Sized = TypeVar("_Sized", list[Any], dict[Any, Any])


@dataclass(frozen=True, slots=True)
class OfficialObject:
    """One thing of a scene.

    Attributes:
        asset: id of its model, `016_pear`.
        receptacle: the receptacle it was spawned on, by the release's name.
        transform: (4, 4) float, metres, y up, translation in the last column.
    """

    asset: str
    receptacle: str
    transform: NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class OfficialEpisode:
    """One released episode, checked in form.

    Attributes:
        template: the release's id of the instruction template.
        instruction: the sentence.
        scene: id of the scene, `v3_sc3_staging_00`.
        objects: in the order in which the release registers them: by asset, then as listed.
        start_predicates: facts that are set at reset.
        goal: the goal expression as stored; `goals.goal_text` reads it.
        entities: placeholder of the template -> category or receptacle.
        num_subgoals: how many subgoals are stored with it.
    """

    template: str
    instruction: str
    scene: str
    objects: tuple[OfficialObject, ...]
    start_predicates: tuple[str, ...]
    goal: object
    entities: dict[str, str]
    num_subgoals: int


class OfficialFile:
    """A released file, opened: episodes are checked one by one when asked for."""

    def __init__(self, data: object, place: str) -> None:
        """Take decoded data; DatasetError if it has another shape than the released files."""
        if type(data) is not dict:
            raise DatasetError(f"{place}: no released episodes: the pickle holds no dict")
        names, episodes, transforms = map(data.get, ("idx_to_name", "all_eps", "all_transforms"))
        if (
            type(names) is not dict
            or type(episodes) is not list
            or not isinstance(transforms, Array)
            or transforms.values.ndim != 3
            or transforms.values.shape[1:] != (4, 4)
            or transforms.values.dtype.kind != "f"
        ):
            raise DatasetError(
                f"{place}: no released episodes: expected 'all_eps' (a list), 'idx_to_name' (a "
                "dict) and 'all_transforms' (floats, n x 4 x 4)"
            )
        self._names: dict[Any, Any] = names
        self._episodes: list[Any] = episodes
        self._transforms: NDArray[np.floating[Any]] = transforms.values
        self._refuse_repeats(place)

    def __len__(self) -> int:
        return len(self._episodes)

    def _refuse_repeats(self, place: str) -> None:
        """Keep memory within the file's size: in released files nothing is counted twice."""
        records = [record for record in self._episodes if type(record) is dict]
        arrays = [record.get("rigid_objs") for record in records]
        total = sum(len(array.values) for array in arrays if _is_pairs(array))
        if len({id(record) for record in self._episodes}) < len(self._episodes):
            raise DatasetError(f"{place}: no released episodes: one of them is listed twice")
        if total > len(self._transforms):
            raise DatasetError(
                f"{place}: no released episodes: {total} objects, but {len(self._transforms)} poses"
            )

    def episode(self, number: int) -> OfficialEpisode:
        """Return an episode by its number in the file; EpisodeError says what is wrong with it."""
        record = self._episodes[number]
        if type(record) is not dict:
            raise EpisodeError("the episode is not a dict")
        scene = _SCENE.match(_field(record, "scene_id", str))
        if scene is None:
            raise EpisodeError("'scene_id' names no .scene_instance.json")
        template = _field(record, "instruct_id", str)
        if not re.fullmatch(r"[a-z0-9_]{1,60}", template):
            raise EpisodeError("'instruct_id' is not a template id")
        entities = _short(_field(record, "sampled_entities", dict), "sampled_entities")
        texts = _texts([*entities, *entities.values()], "sampled_entities")
        return OfficialEpisode(
            template=template,
            instruction=_instruction(record),
            scene=scene[1],
            objects=self._objects(record),
            start_predicates=_texts(
                _short(_field(record, "start_preds", list), "start_preds"), "start_preds"
            ),
            goal=record.get("goal_preds"),
            entities=dict(zip(texts[: len(entities)], texts[len(entities) :], strict=True)),
            num_subgoals=len(_field(record, "subgoals", list)),
        )

    def _objects(self, record: dict[Any, Any]) -> tuple[OfficialObject, ...]:
        spawned = {
            self._name(instance): self._name(receptacle)
            for instance, receptacle in _pairs(record, "name_to_receptacle")
        }
        counts: dict[str, int] = {}
        found = []
        for asset_index, transform_index in _pairs(record, "rigid_objs"):
            match = _ASSET.match(self._name(asset_index))
            if match is None or not 0 <= transform_index < len(self._transforms):
                raise EpisodeError("'rigid_objs' names no .object_config.json or no transform")
            asset = match[1]
            instance = f"{asset}_:{counts.setdefault(asset, 0):04d}"
            counts[asset] += 1
            if instance not in spawned:
                raise EpisodeError(f"object {instance} stands on no receptacle")
            found.append(
                OfficialObject(asset, spawned[instance], self._transforms[transform_index])
            )
        if len(found) < len(spawned):
            raise EpisodeError("'name_to_receptacle' names objects that are not there")
        return tuple(sorted(found, key=lambda thing: thing.asset))

    def _name(self, index: int) -> str:
        name = self._names.get(index)
        if type(name) is not str:
            raise EpisodeError(f"'idx_to_name' has no name for {index}")
        return name


def open_official(path: str | Path, max_bytes: int = DEFAULT_MAX_BYTES) -> OfficialFile:
    """Open a released pickle without running it.

    Raises:
        DatasetError: no such file, too large, a git-lfs pointer, refused, or of another format.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: file not found; give a pickle of the official release")
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > max_bytes:
        raise DatasetError(
            f"{path}: {path.stat().st_size} bytes; accepted: at most {max_bytes}. If you trust the "
            "file, admit more with --max-mb (memory use may reach 16 times the file)"
        )
    if data.startswith(_LFS_POINTER):
        raise DatasetError(
            f"{path}: this is a git-lfs pointer; fetch the file itself with 'git lfs pull' "
            "in the clone of the release"
        )
    return OfficialFile(read_pickle(data, str(path), max_bytes), str(path))


def _field(record: dict[Any, Any], name: str, kind: type[_T]) -> _T:
    value = record.get(name)
    if type(value) is not kind:
        raise EpisodeError(f"'{name}' is a {type(value).__name__}, not a {kind.__name__}")
    return value


def _short(value: _Sized, name: str) -> _Sized:
    if len(value) > _MAX_FACTS:
        raise EpisodeError(f"'{name}' has {len(value)} entries; accepted: at most {_MAX_FACTS}")
    return value


def _instruction(record: dict[Any, Any]) -> str:
    text = _field(record, "instruction", str)
    if len(text) > MAX_INSTRUCTION:
        raise EpisodeError(
            f"the instruction has {len(text)} characters; accepted: at most {MAX_INSTRUCTION}"
        )
    return text


def _texts(values: list[Any], name: str) -> tuple[str, ...]:
    for value in values:
        if type(value) is not str or len(value) > 200:
            raise EpisodeError(f"'{name}' holds something else than short texts")
    return tuple(values)


def _pairs(record: dict[Any, Any], name: str) -> list[tuple[int, int]]:
    array = record.get(name)
    if not _is_pairs(array):
        raise EpisodeError(f"'{name}' is not an array of pairs of integers")
    if len(array.values) > MAX_OBJECTS:
        raise EpisodeError(f"{len(array.values)} objects; accepted: at most {MAX_OBJECTS}")
    return [(a, b) for a, b in array.values.tolist()]


def _is_pairs(array: object) -> TypeGuard[Array]:
    return (
        isinstance(array, Array)
        and array.values.ndim == 2
        and array.values.shape[1] == 2
        and array.values.dtype.kind == "i"
    )
