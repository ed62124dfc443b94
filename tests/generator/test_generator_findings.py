"""What a finding reads like: its kind, the episode once, what is wrong."""

from __future__ import annotations

import pytest

from langrearrange.generator import Finding


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
