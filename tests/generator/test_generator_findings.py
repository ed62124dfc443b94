"""What a finding reads like: its kind, the episode once, what is wrong."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from langrearrange.generator import Finding, GeneratedSplit, check_dataset, load_spec


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding("hash", "", "the content differs"), "hash: the content differs"),
        (Finding("plan", "mine/000003", "too long"), "plan: mine/000003: too long"),
        (Finding("plan", "mine/000003", "mine/000003: too long"), "plan: mine/000003: too long"),
        (Finding("plan", "", "mine/000003: too long"), "plan: mine/000003: too long"),
    ],
)
def test_a_finding_names_its_episode_once(finding: Finding, words: str) -> None:
    assert str(finding) == words


@pytest.mark.parametrize(
    ("sentence", "meaning"),
    [
        ("Dance with the lamp.", "nothing that the templates say"),
        ("Go to the sofa.", "(robot_at sofa)"),
    ],
)
def test_what_a_sentence_means_instead_is_told(
    monkeypatch: pytest.MonkeyPatch, sentence: str, meaning: str
) -> None:
    split = GeneratedSplit(load_spec("train", num_episodes=1))
    changed = replace(split.get(0), instruction=sentence, goal="(open fridge)")
    monkeypatch.setattr(split, "get", lambda position: changed)
    told = [f.message for f in check_dataset(split).findings if f.kind == "reading"]
    assert told == [f"'{sentence}' in {changed.house} means {meaning}"]
