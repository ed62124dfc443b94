"""An episode is a pure function of (spec, index, variant), proved, and drawn as promised."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import Episode, encode_episode
from langrearrange.errors import DatasetError, GenerationError, VocabularyError
from langrearrange.generator import (
    PUBLISHED,
    GeneratedSplit,
    SplitSpec,
    load_spec,
    make_episode,
    num_episodes,
    open_split,
    prove_episode,
)
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.world.vocabulary import CATEGORIES, CONTAINERS

TRAIN = load_spec("train")


@cache
def sample(count: int = 800) -> list[Episode]:
    return [make_episode(TRAIN, index) for index in range(5, 150_000, 150_000 // count)]


@given(st.sampled_from(list(PUBLISHED)), st.data(), st.integers(0, 3))
def test_any_episode_of_any_split_is_proved(split: str, data: st.DataObject, variant: int) -> None:
    spec = load_spec(split)
    index = data.draw(st.integers(0, num_episodes(spec) - 1))
    blueprint = blueprint_of(spec)
    draft = blueprint.draft(index)
    case = blueprint.variant_case(draft, index, variant)
    episode = make_episode(spec, index, variant)
    faults = prove_episode(episode, spec=spec, grounding=draft.grounding, case=case)
    assert faults == []


@given(st.integers(0, 149_999))
def test_same_arguments_same_bytes_whatever_came_before(index: int) -> None:
    once = encode_episode(make_episode(TRAIN, index))
    make_episode(TRAIN, (index * 7 + 1) % 150_000)
    assert encode_episode(make_episode(TRAIN, index)) == once


def test_variant_keeps_sentence_and_goal_and_redraws_the_rest() -> None:
    for index in (0, 1, 4, 149_999):
        first, *others = (make_episode(TRAIN, index, variant) for variant in range(4))
        assert [e.id for e in others] == [f"{first.id}#{k}" for k in (1, 2, 3)]
        for other in others:
            assert (other.instruction, other.goal) == (first.instruction, first.goal)
            assert other.objects != first.objects
            assert other.start != first.start
    flats = {make_episode(TRAIN, 0, variant).house for variant in range(12)}
    assert len(flats) > 6


def test_variant_of_a_spatial_sentence_stays_where_it_is_true() -> None:
    spec = load_spec("spatial_relationships")
    for index in range(0, 100, 17):
        goals = {make_episode(spec, index, variant).goal for variant in range(5)}
        assert len(goals) == 1


def test_households_are_as_full_and_as_hidden_as_promised() -> None:
    episodes = sample()
    sizes = [len(episode.objects) for episode in episodes]
    assert min(sizes) >= 15
    assert max(sizes) <= 30
    assert len(set(sizes)) == 16
    things = [thing for episode in episodes for thing in episode.objects]
    hidden = sum(thing.receptacle in CONTAINERS for thing in things) / len(things)
    assert 0.17 < hidden < 0.24
    assert {thing.category for thing in things} == set(CATEGORIES)
    for episode in episodes:
        assert max(Counter(t.receptacle for t in episode.objects).values()) <= 5
        assert len({thing.category for thing in episode.objects}) <= 30


def test_openness_leaks_no_split() -> None:
    free = [e for e in sample() if "fridge" not in e.instruction.lower()]
    share = sum("fridge" in episode.open for episode in free) / len(free)
    assert 0.18 < share < 0.32
    assert {name for episode in sample() for name in episode.open} == {"fridge"}


def test_hidden_targets_are_as_common_as_hidden_clutter() -> None:
    blueprint = blueprint_of(TRAIN)
    where = []
    for index in range(100_000, 100_600):
        episode = make_episode(TRAIN, index)
        if episode.template == "place_two":
            for value in list(blueprint.draft(index).grounding.values.values())[:2]:
                things = [t for t in episode.objects if t.category in value.categories]
                where += [things[0].receptacle] if len(things) == 1 else []
    assert len(where) > 200
    assert 0.12 < sum(name in CONTAINERS for name in where) / len(where) < 0.28


def test_knobs_turn() -> None:
    spec = SplitSpec(
        name="hard", templates="novel_objects", num_episodes=40, min_objects=8, max_objects=9,
        hidden_percent=100, fridge_open_percent=0, max_per_receptacle=4, horizon=8,
    )  # fmt: skip
    episodes = [make_episode(spec, index) for index in range(40)]
    assert {len(episode.objects) for episode in episodes} == {8, 9}
    assert all(len(episode.plan) <= 7 for episode in episodes)
    assert not any(episode.open for episode in episodes)
    surfaces = [[t.category for t in e.objects if t.receptacle not in CONTAINERS] for e in episodes]
    assert all(len(names) <= 2 for names in surfaces), "only what a sentence puts there"


def test_impossible_household_is_a_clear_error() -> None:
    spec = SplitSpec(name="never", templates="multiple_rearrangements", num_episodes=4, horizon=4)
    expected = (
        r"never/000000: template 'three_together' \(.*multiple_rearrangements\.yaml:\d+\) finds no "
        r".* in 64 attempts: no plan"
    )
    with pytest.raises(GenerationError, match=expected):
        make_episode(spec, 0)


def test_outside_the_split_is_refused() -> None:
    with pytest.raises(IndexError):
        make_episode(TRAIN, 150_000)
    with pytest.raises(IndexError, match="variant -1; accepted: 0 to"):
        make_episode(TRAIN, 0, -1)


def test_hash_seed_of_the_process_changes_nothing() -> None:
    code = (
        "import hashlib;from langrearrange.dataset import encode_episode;"
        "from langrearrange.generator import *;"
        "print(hashlib.sha256(b''.join(encode_episode(make_episode(load_spec(s), i))"
        " for s in ('train', 'context', 'spatial_relationships') for i in range(6))).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(hashes) == 1


def test_computed_split_is_a_source() -> None:
    split = GeneratedSplit("train_mini")
    assert len(split) == 1_000
    assert split.id_at(0) == "train/000000"
    for position in (0, 1, 143, 500, 999):
        episode = split.get(position)
        assert episode.id == split.id_at(position)
        assert episode.template == split.template_at(position)
        assert split.index_of(episode.id + "#4") == position
        assert position in split.template_ranges[episode.template]
        assert split[episode.id] is episode
    assert split["train/000002#1"].id == "train/000002#1"
    with pytest.raises(DatasetError, match=r"ids are train/000000 to train/000999"):
        split.index_of("train/001000")


def test_shipped_or_computed_the_same_episodes() -> None:
    for name in ("train_mini", "context"):
        opened, computed = open_split(name), GeneratedSplit(name)
        assert opened.template_ranges == computed.template_ranges
        for position in range(0, len(opened), 99):
            assert opened.get(position) == computed.get(position)
            assert opened.get(position, 1) == computed.get(position, 1)


def test_unknown_split_is_refused() -> None:
    with pytest.raises(VocabularyError, match="unknown split 'trian'"):
        open_split("trian")


def test_nothing_but_integers_and_text_enters_an_episode() -> None:
    def values(thing: object) -> list[object]:
        if isinstance(thing, dict):
            return [v for part in thing.values() for v in values(part)]
        if isinstance(thing, list | tuple):
            return [v for part in thing for v in values(part)]
        return [thing]

    for episode in sample()[:40]:
        assert {type(v) for v in values(msgspec.to_builtins(episode))} == {int, str}


def test_edited_template_file_is_used_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = (
        "schema: 1\nsplit: mine\ntemplates:\n  open_it:\n    concept: open\n"
        "    start: [{fridge: closed}]\n    goal: (open fridge)\n"
        "    phrasings:\n      - Open the fridge.\n      - Let me see into the fridge.\n"
    )
    path.write_text(text)
    spec = SplitSpec(name="mine", templates=str(path), num_episodes=1)
    assert GeneratedSplit(spec).get(0).goal == "(open fridge)"
    path.write_text(text.replace("closed", "open").replace("(open fridge)", "(closed fridge)"))
    assert GeneratedSplit(spec).get(0).goal == "(closed fridge)"
