"""The replay page and the animation: self-contained, within their size, nothing injected."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from handmade import HANDMADE, traces_of
from PIL import Image

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Result,
    Trace,
    build_page,
    camera_frames,
    failures_first,
    header_of,
    record,
    score,
    write_animation,
    write_page,
)
from langrearrange.leaderboard import page as page_module

SOURCE = EpisodeList(HANDMADE)
JPEG = b"\xff\xd8\xff" + b"x" * 3000


def find(episode_id: str) -> Episode:
    return SOURCE.get(SOURCE.index_of(episode_id))


def result_of(agent: str = "random", privileged: bool = False) -> Result:
    facts = AgentFacts(name=agent, modality="state", privileged=privileged)
    header = header_of(facts, Plan(sources=[SOURCE]))
    trace = Trace(header, tuple(traces_of(agent, HANDMADE).values()))
    return score(trace, lambda split: SOURCE)


RESULT = result_of()


def data_of(page: str) -> dict[str, Any]:
    match = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert match
    data: dict[str, Any] = json.loads(match[1])
    return data


def test_the_page_asks_nothing_of_the_network() -> None:
    page = build_page(RESULT, find)
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", page)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org)", page)


def test_failures_come_first() -> None:
    flags = [episode["success"] for episode in data_of(build_page(RESULT, find))["episodes"]]
    assert flags == sorted(flags)
    assert flags[0] is False
    assert [e.id for e in failures_first(RESULT.episodes)][:1] == ["context/000000"]


def test_the_page_holds_every_step_of_every_episode() -> None:
    oracle = result_of("oracle", privileged=True)
    data = data_of(build_page(oracle, find))
    for played in data["episodes"]:
        episode = find(played["id"])
        assert [data["skills"][a] for a in played["actions"]] == list(episode.plan)
        assert len(played["places"]) == len(played["opens"]) == len(episode.plan) + 1
        assert played["house"] in data["flats"]
    moved = next(e for e in data["episodes"] if e["id"] == "context/000000")
    assert moved["moves"] == [[2, 0, 11], [4, 0, 4]]
    assert "privileged" in data["facts"]


def test_pictures_are_embedded_until_the_page_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = {e.id: [JPEG] * 3 for e in HANDMADE}
    full = [e.get("frames") for e in data_of(build_page(RESULT, find, frames))["episodes"]]
    assert all(f and all(p.startswith("data:image/jpeg;base64,") for p in f) for f in full)
    bare = len(build_page(RESULT, find))
    monkeypatch.setattr(page_module, "MAX_BYTES", bare + 30_000)
    page = build_page(RESULT, find, frames)
    assert len(page) <= bare + 30_000
    assert [bool(e.get("frames")) for e in data_of(page)["episodes"]] == [True, True, False, False]


def test_names_cannot_inject_markup_or_placeholders() -> None:
    evil = "</script><img src=x onerror=alert(1)>%DATA%<!--"
    agent = msgspec.structs.replace(RESULT.header.agent, name=evil)
    header = msgspec.structs.replace(RESULT.header, agent=agent)
    result = score(Trace(header, ()), lambda split: SOURCE)
    page = build_page(result, find)
    assert "<img src=x" not in page
    assert page.count("</script>") == 2
    assert data_of(page)["title"].startswith(evil)


def test_a_thousand_episodes_stay_within_three_megabytes() -> None:
    many = msgspec.structs.replace(HANDMADE[0])
    episodes = [msgspec.structs.replace(many, id=f"context/{i:06d}") for i in range(1000)]
    source = EpisodeList(episodes)
    header = header_of(AgentFacts(name="random", modality="state"), Plan(sources=[source]))
    trace = Trace(header, tuple(traces_of("random", episodes).values()))
    result = score(trace, lambda split: source)
    page = build_page(result, lambda i: source.get(source.index_of(i)))
    assert len(page.encode()) < 3 << 20


def test_write_page_makes_its_folder(tmp_path: Path) -> None:
    path = write_page(tmp_path / "new" / "page.html", RESULT, find)
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_an_animation_shows_every_step_with_its_skill(tmp_path: Path) -> None:
    episode = HANDMADE[0]
    actions = traces_of("oracle", [episode])[episode.id].actions
    pictures = record(episode, actions, image_size=64)
    assert len(pictures) == len(actions) + 1
    assert len({picture.shape for picture in pictures}) == 1
    assert all(np.any(a != b) for a, b in pairwise(pictures))
    path = write_animation(tmp_path / "new" / "episode.gif", pictures)
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == len(pictures)
        assert image.size == pictures[0].shape[1::-1]


def test_camera_frames_are_pictures_before_each_skill_and_after_the_last() -> None:
    frames = camera_frames(
        HANDMADE[2], traces_of("oracle", [HANDMADE[2]])["context/000002"].actions
    )
    assert len(frames) == 3
    assert all(frame.startswith(b"\xff\xd8") for frame in frames)


def test_animations_of_nothing_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(UsageError, match="at least one"):
        write_animation(tmp_path / "a.gif", [])
    with pytest.raises(UsageError, match=r"accepted: \.gif, \.mp4"):
        write_animation(tmp_path / "a.avi", [picture])


def test_mp4_without_the_extra_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"langrearrange\[video\]"):
        write_animation(tmp_path / "a.mp4", [np.zeros((8, 8, 3), np.uint8)])


def test_mp4_shows_every_picture_for_its_time(tmp_path: Path) -> None:
    import av

    pictures = [np.full((31, 45, 3), 60 * i, np.uint8) for i in range(4)]
    path = write_animation(tmp_path / "a.mp4", pictures)
    with av.open(str(path)) as file:
        frames = sum(1 for _ in file.decode(video=0))
        assert (file.streams.video[0].width, file.streams.video[0].height) == (44, 30)
    assert frames == 3 * 7 + 22  # tenths of a second
