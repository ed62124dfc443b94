"""Nothing that a test split holds out leaks into training, and a leak would be found."""

from __future__ import annotations

from collections import Counter

import pytest

from langrearrange.generator import disjoint, load_spec
from langrearrange.generator.disjoint import check_disjoint, texts_of
from langrearrange.world.vocabulary import HELD_OUT_CATEGORIES

SMALL = load_spec("train", num_episodes=3_000)


def test_small_train_leaks_nothing_and_lacks_only_what_it_is_too_small_for() -> None:
    kinds = Counter(finding.kind for finding in check_disjoint(SMALL))
    assert set(kinds) <= {"foreign_text"}, "a small train says less than the whole one"


def test_a_leak_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = texts_of
    leaked = next(iter(genuine(load_spec("context"))))

    def leaking(spec: object) -> dict[str, str]:
        texts = genuine(spec)  # type: ignore[arg-type]
        texts.popitem()
        return texts | {leaked: "train/999999"}

    monkeypatch.setattr(disjoint, "texts_of", leaking)
    found = [finding for finding in check_disjoint(SMALL) if finding.kind != "foreign_text"]
    assert {finding.kind for finding in found} >= {"leaked_text", "leaked_words"}
    assert any("is train/999999 of train" in str(finding) for finding in found)


def test_texts_that_repeat_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disjoint, "texts_of", lambda spec: {"find an apple.": "train/000000"})
    kinds = Counter(finding.kind for finding in check_disjoint(SMALL))
    assert kinds["duplicate_text"] == 1


@pytest.mark.slow
def test_150_000_texts_are_distinct_and_nothing_leaks() -> None:
    texts = texts_of(load_spec("train"))
    assert len(texts) == 150_000
    assert check_disjoint() == []
    words = Counter(word for text in texts for word in text.rstrip(".?").split())
    assert all(words[name.split("_")[-1]] > 1_000 for name in HELD_OUT_CATEGORIES)
