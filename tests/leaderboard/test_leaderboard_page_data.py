"""What the replay page is given: facts, tables, maps and the way of every episode; captions."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from handmade import HANDMADE, episode, on, traces_of
from PIL import Image, ImageDraw

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.houses import HOUSE_IDS, get_house
from langrearrange.leaderboard import (
    AgentFacts,
    EpisodeTrace,
    Plan,
    Trace,
    build_page,
    header_of,
    record,
    score,
    write_animation,
)
from langrearrange.leaderboard.animation import BAD, CAPTION_PX, GIF_MS, GOOD, LAST_MS
from langrearrange.leaderboard.clairvoyance import Clairvoyance
from langrearrange.leaderboard.metrics import METRICS
from langrearrange.leaderboard.page import COLUMNS, flat_map
from langrearrange.leaderboard.score import Group, Result, Scores
from langrearrange.leaderboard.statistics import Interval
from langrearrange.world import skill_index
from langrearrange.world.vocabulary import NAV_TARGETS, OPENABLE_INDEX, RECEPTACLES

SOURCE = EpisodeList(HANDMADE)


def result_of(agent: str = "random") -> Result:
    header = header_of(AgentFacts(name=agent, modality="state"), Plan(sources=[SOURCE]))
    return score(Trace(header, tuple(traces_of(agent, HANDMADE).values())), lambda split: SOURCE)


RESULT = result_of()


def data_of(result: Result, source: EpisodeList = SOURCE) -> dict[str, Any]:
    page = build_page(result, lambda name: source.get(source.index_of(name)))
    match = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert match
    data: dict[str, Any] = json.loads(match[1])
    return data


# -- facts and tables ------------------------------------------------------------------------------


def test_the_plainest_facts() -> None:
    version = RESULT.header.package_version
    assert data_of(RESULT)["facts"] == (
        f"sees state · 4 episodes · langrearrange {version} · "
        "~ interval beyond the range simulated to cover 93-97 %"
    )


@pytest.mark.parametrize(
    ("fields", "header", "words"),
    [
        ({}, {"protocol": "hard"}, "hard variant"),
        ({"partial": ("context",)}, {}, "part of the split only: not ranked"),
        ({"clairvoyance": Clairvoyance(9, 9, 1.0, 1e-9)}, {}, "seems to know where hidden"),
        ({"clairvoyance": Clairvoyance(9, 3, 1.0, 1e-2)}, {}, ""),
    ],
)
def test_facts_that_matter_are_told(
    fields: dict[str, Any], header: dict[str, Any], words: str
) -> None:
    changed = msgspec.structs.replace(RESULT.header, **header)
    told = data_of(replace(RESULT, header=changed, **fields))["facts"]
    assert words in told
    assert told.count(" · ") == (4 if words else 3)


def test_a_title_names_three_splits_and_counts_more() -> None:
    scores = RESULT.splits["context"]
    three = dict.fromkeys(("context", "new_scenes", "novel_objects"), scores)
    assert data_of(replace(RESULT, splits=three))["title"] == (
        "random on context, new scenes, novel objects"
    )
    four = three | {"multiple_objects": scores}
    assert data_of(replace(RESULT, splits=four))["title"] == "random on 4 splits"


def interval(mean: float, low: float, high: float, variance: float = 0.01) -> Interval:
    return Interval(mean, low, high, 100, 100, variance, 9.0, "clustered")


def test_rows_show_means_intervals_and_metrics() -> None:
    metrics = dict.fromkeys(METRICS, 0.125) | {"regret": None}
    scores = Scores(interval(0.5, 0.404, 0.596), interval(0.95, 0.9, 1.0), metrics, 40, 3, {})
    group = Group(interval(0.25, 0.1, 0.4), interval(0.5, 0.25, 0.75))
    data = data_of(replace(RESULT, splits={"new_scenes": scores}, groups={"PR": group}))
    assert data["columns"] == [*COLUMNS, *(metric.title for metric in METRICS.values())]
    row, total = data["rows"]
    shown = ["-" if name == "regret" else metric.text(0.125) for name, metric in METRICS.items()]
    assert row == {
        "group": False,
        "cells": ["new scenes", "0.500", "0.40 to 0.60", "0.950", "~0.90 to 1.00", "40", *shown],
    }
    assert total["group"] is True
    assert total["cells"][:5] == ["PR", "0.250", "0.10 to 0.40", "0.500", "0.25 to 0.75"]
    assert len(total["cells"]) == len(row["cells"]) == len(data["columns"])
    assert set(total["cells"][5:]) == {""}


def test_causes_and_templates_are_listed() -> None:
    scores = replace(RESULT.splits["context"], causes={"loop": 3, "crash": 1})
    data = data_of(replace(RESULT, splits={"context": scores}))
    assert data["causes"] == [
        {"split": "context", "cause": "loop", "num_episodes": 3},
        {"split": "context", "cause": "crash", "num_episodes": 1},
    ]
    (row,) = data["templates"]
    assert (row["split"], row["template"], row["num_episodes"]) == ("context", "handmade", 4)
    assert row["success"] == RESULT.templates[0].success


# -- maps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("house_id", HOUSE_IDS[::21])
def test_a_map_has_a_box_for_every_receptacle(house_id: str) -> None:
    house = get_house(house_id)
    drawn = flat_map(house)
    assert drawn["size"] == house.size_mm
    assert set(RECEPTACLES) <= set(drawn["boxes"])
    assert len(drawn["stances"]) == len(NAV_TARGETS)
    for target, pose in zip(NAV_TARGETS, drawn["stances"], strict=True):
        stance = house.stances[target]
        assert pose == (stance.x_mm, stance.y_mm, stance.yaw_mrad)
    outlines = [(label, corners) for label, *corners in house.outlines]
    assert drawn["walls"] == [corners for label, corners in outlines if label == "wall"]
    for label, corners in outlines:
        assert label == "wall" or drawn["boxes"][label] == corners
    for name in ("left_drawer", "right_drawer"):
        stance, (x0, y0, x1, y1) = house.stances[name], drawn["boxes"][name]
        yaw = stance.yaw_mrad / 1000
        middle = ((x0 + x1) / 2 - stance.x_mm, (y0 + y1) / 2 - stance.y_mm)
        assert middle == pytest.approx((740 * math.cos(yaw), 740 * math.sin(yaw)), abs=2)
        across, along = sorted((x1 - x0, y1 - y0))
        assert (across, along) == (pytest.approx(260, abs=2), pytest.approx(760, abs=2))
        looks_along_y = abs(math.sin(yaw)) > abs(math.cos(yaw))
        assert (x1 - x0 > y1 - y0) == looks_along_y, "it is wide across the gaze"


# -- episodes --------------------------------------------------------------------------------------

FETCH = episode(
    0,
    "Put a mug in the sink.",
    on("mug", "sink"),
    {"mug_0": "fridge", "pear_0": "sofa", "book_0": "chair"},
    ("nav(fridge)", "open(fridge)", "pick(mug)", "nav(sink)", "place(sink)"),
)


def shown(*skills: str, protocol: str = "paper", failure: Any = "crash") -> dict[str, Any]:
    source = EpisodeList([FETCH])
    plan = Plan(sources=[source], protocol=protocol)  # type: ignore[arg-type]
    header = header_of(AgentFacts(name="a", modality="state"), plan)
    actions = tuple(70 if skill == "stop" else skill_index(skill) for skill in skills)
    trace = Trace(header, (EpisodeTrace(id=FETCH.id, actions=actions, failure=failure),))
    (entry,) = data_of(score(trace, lambda split: source), source)["episodes"]
    found: dict[str, Any] = entry
    return found


def test_an_episode_tells_its_way() -> None:
    entry = shown("nav(sofa)", "pick(pear)", "nav(sink)", "place(sink)", "place(sink)")
    hand, sofa, sink = 11, RECEPTACLES.index("sofa"), RECEPTACLES.index("sink")
    assert entry["things"] == ["mug", "pear", "book"]
    assert entry["where"] == [RECEPTACLES.index("fridge"), sofa, RECEPTACLES.index("chair")]
    assert entry["moves"] == [[2, 1, hand], [4, 1, sink]]
    assert entry["wanted"] == ["mug", "pear"], "what the plan picks and what was picked"
    at = [NAV_TARGETS.index(name) for name in ("sofa", "sofa", "sink", "sink", "sink")]
    assert entry["places"] == [16, *at]
    assert entry["opens"] == [0] * 6
    assert entry["outcomes"] == [0, 0, 0, 0, 2]
    assert (entry["success"], entry["cause"], entry["optimal"]) == (False, "crash", 5)
    assert entry["start"] == [1000, 1000, 0]
    assert entry["house"] == FETCH.house


def test_openings_and_stop_are_shown() -> None:
    entry = shown("nav(fridge)", "open(fridge)", "stop", protocol="hard", failure="")
    assert entry["opens"] == [0, 0, 1 << OPENABLE_INDEX["fridge"], 1 << OPENABLE_INDEX["fridge"]]
    assert entry["outcomes"] == [0, 0, 8]
    assert entry["optimal"] == 6


# -- animations ------------------------------------------------------------------------------------


def captions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Note what is written below the pictures."""
    written: list[tuple[Any, ...]] = []
    genuine = ImageDraw.ImageDraw.text

    def text(self: Any, where: Any, words: str, fill: Any, *more: Any, **options: Any) -> None:
        if self.im.size[1] == CAPTION_PX:
            written.append((where, words, fill))
        genuine(self, where, words, fill, *more, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return written


def play(e: Episode, *skills: str, **options: Any) -> list[Any]:
    return record(e, [skill_index(skill) for skill in skills], image_size=32, **options)


def test_captions_tell_skill_and_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    written = captions(monkeypatch)
    pictures = play(FETCH, "pick(pear)", *FETCH.plan, "nav(sofa)")
    assert len(pictures) == 7, "what stands behind the end is not played"
    left = [words for (x, _), words, _ in written if x == 12]
    right = [(words, fill) for (x, _), words, fill in written if x != 12]
    assert left[:3] == ["start", "1. pick up the pear", "2. go to the fridge"]
    assert right[0] == ("not near", BAD)
    assert right[1] == ("ok", GOOD)
    assert right[-1] == ("success", GOOD)
    assert {y for (_, y), *_ in written} == {CAPTION_PX // 2}
    assert {x for (x, _), *_ in written} == {12, pictures[0].shape[1] - 12}


def test_the_hard_variant_ends_at_the_first_impossible_skill() -> None:
    assert len(play(FETCH, "pick(pear)", "nav(sofa)", hard=True)) == 2
    assert len(play(FETCH, "pick(pear)", "nav(sofa)")) == 3


def test_a_gif_shows_the_last_picture_longest(tmp_path: Any) -> None:
    pictures = [np.full((20, 30, 3), 60 * i, np.uint8) for i in range(4)]
    path = write_animation(tmp_path / "a.GIF", pictures)
    durations = []
    with Image.open(path) as image:
        for i in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(i)
            durations.append(image.info["duration"])
            shown = np.asarray(image.convert("RGB"))
            assert abs(shown.astype(int) - 60 * i).max() <= 40
        assert image.info["loop"] == 0
    assert durations == [GIF_MS] * 3 + [LAST_MS]
