"""One self-contained HTML page to watch the episodes of a scored run. Opens offline."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from langrearrange.dataset import Episode
from langrearrange.houses import House, get_house
from langrearrange.houses.geometry import Pose2D
from langrearrange.leaderboard.html import fill, write
from langrearrange.leaderboard.metrics import METRICS
from langrearrange.leaderboard.replay import Replayed
from langrearrange.leaderboard.score import Group, Result, Scores
from langrearrange.leaderboard.statistics import Interval
from langrearrange.world import SKILLS
from langrearrange.world.vocabulary import (
    CATEGORIES,
    NAV_TARGETS,
    OPENABLES,
    RECEPTACLES,
    english,
)

MAX_BYTES: Final = 3 << 20
"""Size a page keeps to by leaving out pictures; 1,000 episodes without any take about 1.5 MB."""
OUTCOME_NAMES: Final = (
    "ok", "hand_full", "hand_empty", "not_near", "closed", "already_open", "already_closed",
    "absent", "stop",
)  # fmt: skip
COLUMNS: Final = ("", "success", "95 %", "efficiency", "95 %", "episodes")

Frames = Mapping[str, Sequence[bytes]]
"""Episode id -> one JPEG or PNG before each skill and after the last."""
Said = Mapping[str, Mapping[int, str]]
"""Instruction -> number of skills taken before -> what the model was told and answered then."""
FindEpisode = Callable[[str], Episode]


def failures_first(episodes: Sequence[Replayed]) -> list[Replayed]:
    """Return the episodes as the page lists them: failures first, each in trace order."""
    return sorted(episodes, key=lambda episode: episode.success)


def write_page(
    path: Path | str,
    result: Result,
    find_episode: FindEpisode,
    frames: Frames | None = None,
    said: Said | None = None,
) -> Path:
    """Write the page.

    Args:
        path: the HTML file.
        result: a scored run.
        find_episode: id -> episode, for the household that is drawn.
        frames: pictures for some of the episodes; those that would carry the page beyond
            `MAX_BYTES` are left out, last ones first, and the page says where they are missing.
        said: a chat model's transcript (`transcript.said_in`).

    Returns:
        The path.
    """
    return write(path, build_page(result, find_episode, frames, said))


def build_page(
    result: Result,
    find_episode: FindEpisode,
    frames: Frames | None = None,
    said: Said | None = None,
) -> str:
    """Return the page as text; see `write_page`."""
    listed = failures_first(result.episodes)
    episodes = [_episode(replayed, find_episode(replayed.id)) for replayed in listed]
    if said is not None:
        for episode in episodes:
            episode["said"] = said.get(episode["instruction"], {})
    houses = dict.fromkeys(episode["house"] for episode in episodes)
    data = {
        "title": f"{result.header.agent.name} on {_splits(result)}",
        "facts": _facts(result),
        "columns": (*COLUMNS, *(metric.title for metric in METRICS.values())),
        "rows": _rows(result),
        "templates": [asdict(row) for row in result.templates],
        "causes": [
            {"split": split, "cause": cause, "num_episodes": number}
            for split, scores in result.splits.items()
            for cause, number in scores.causes.items()
        ],
        "flats": {house: flat_map(get_house(house)) for house in houses},
        "episodes": episodes,
        "skills": [skill.id for skill in SKILLS],
        "outcomes": OUTCOME_NAMES,
        "places": NAV_TARGETS,
        "receptacles": RECEPTACLES,
        "openables": OPENABLES,
        "categories": CATEGORIES,
        "names": {name: english(name) for name in (*RECEPTACLES, *CATEGORIES)},
    }
    title = str(data["title"])
    left = MAX_BYTES - len(fill("page", data, title))
    for episode in episodes:
        pictures = [_data_uri(picture) for picture in (frames or {}).get(episode["id"], ())]
        left -= sum(map(len, pictures)) + 20 * len(pictures)
        if pictures and left > 0:
            episode["frames"] = pictures
    return fill("page", data, title)


def flat_map(house: House) -> dict[str, Any]:
    """Return what a map of a flat needs: size, walls, a box per receptacle, stances; all in mm."""
    boxes = {label: corners for label, *corners in house.outlines if label != "wall"}
    for receptacle in RECEPTACLES:
        if receptacle not in boxes:  # a drawer: where it stands when it is pulled out
            boxes[receptacle] = _in_front_of(house.stances[receptacle])
    return {
        "size": house.size_mm,
        "walls": [corners for label, *corners in house.outlines if label == "wall"],
        "boxes": boxes,
        "stances": [_pose(house.stances[target]) for target in NAV_TARGETS],
    }


def _in_front_of(stance: Pose2D) -> list[int]:
    forward = stance.matrix()[:2, 0]
    x, y = stance.x_mm + 740 * float(forward[0]), stance.y_mm + 740 * float(forward[1])
    along_y = abs(forward[1]) > abs(forward[0])
    half_x, half_y = (380, 130) if along_y else (130, 380)
    return [round(x - half_x), round(y - half_y), round(x + half_x), round(y + half_y)]


def _pose(pose: Pose2D) -> tuple[int, int, int]:
    return pose.x_mm, pose.y_mm, pose.yaw_mrad


def _episode(replayed: Replayed, episode: Episode) -> dict[str, Any]:
    states = replayed.states
    moves = [
        (when, thing, where)
        for when in range(1, len(states))
        for thing, where in enumerate(states[when].receptacles)
        if where != states[when - 1].receptacles[thing]
    ]
    touched = {thing for _, thing, _ in moves}
    named = {skill[5:-1] for skill in episode.plan if skill.startswith("pick(")}
    return {
        "id": replayed.id,
        "split": replayed.split,
        "template": replayed.template,
        "instruction": replayed.instruction,
        "success": replayed.success,
        "cause": replayed.cause.replace("_", " "),
        "optimal": replayed.optimal,
        "house": episode.house,
        "start": (episode.start.x, episode.start.y, episode.start.yaw),
        "things": [thing.category for thing in episode.objects],
        "wanted": sorted(named | {episode.objects[thing].category for thing in touched}),
        "where": states[0].receptacles,
        "moves": moves,
        "places": [state.place for state in states],
        "opens": [state.open_mask for state in states],
        "actions": replayed.actions,
        "outcomes": [OUTCOME_NAMES.index(outcome) for outcome in replayed.outcomes],
    }


def _splits(result: Result) -> str:
    names = [name.replace("_", " ") for name in result.splits]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} splits"


def _facts(result: Result) -> str:
    header = result.header
    words = [
        f"sees {header.agent.modality}",
        f"{len(result.episodes)} episodes",
        f"langrearrange {header.package_version}",
    ]
    if header.agent.privileged:
        words.append("privileged: it was shown the episodes (tier T0, not ranked)")
    if result.partial:
        words.append("part of the split only: not ranked")
    if header.protocol == "hard":
        words.append("hard variant")
    if result.clairvoyance.suspicious:
        words.append("it seems to know where hidden objects are: not ranked")
    words.append("~ interval beyond the range simulated to cover 93-97 %")
    return " · ".join(words)


def _rows(result: Result) -> list[dict[str, Any]]:
    rows = []
    shown: list[tuple[str, Scores | Group]] = [*result.splits.items(), *result.groups.items()]
    for name, scores in shown:
        cells = [name.replace("_", " "), *_mean(scores.success), *_mean(scores.efficiency)]
        if isinstance(scores, Scores):
            cells.append(str(scores.num_episodes))
            cells += (metric.text(scores.metrics[key]) for key, metric in METRICS.items())
        cells += [""] * (len(COLUMNS) + len(METRICS) - len(cells))
        rows.append({"group": isinstance(scores, Group), "cells": cells})
    return rows


def _mean(interval: Interval) -> tuple[str, str]:
    mark = "" if interval.checked else "~"
    return f"{interval.mean:.3f}", f"{mark}{interval.low:.2f} to {interval.high:.2f}"


def _data_uri(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
