"""Nothing that a test split holds out leaks into training, and a leak would be found."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.generator import disjoint, load_spec, make_episode
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.disjoint import check_disjoint, texts_of
from langrearrange.language import load_split
from langrearrange.world.vocabulary import HELD_OUT_CATEGORIES

SMALL = load_spec("train", num_episodes=3_000)


def test_small_train_leaks_nothing_and_lacks_only_what_it_is_too_small_for() -> None:
    kinds = Counter(finding.kind for finding in check_disjoint(SMALL))
    assert set(kinds) <= {"foreign_text"}, "a small train says less than the whole one"


def test_a_leak_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = texts_of
    leaked = next(iter(genuine(load_spec("referring_expressions"))))

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


def kinds_of(episode: Episode, split: str, texts: dict[str, str]) -> list[str]:
    source = EpisodeList([replace(episode, id=f"{split}/000000", split=split)], split)
    return [finding.kind for finding in disjoint._text_leaks(source, texts)]


def test_a_text_of_train_is_a_leak_in_one_split_and_demanded_in_another() -> None:
    own = make_episode(load_spec("context"), 0)
    texts = {own.instruction.lower(): "train/000007"}
    assert kinds_of(own, "context", texts) == ["leaked_text"]
    assert kinds_of(own, "context", {}) == []
    assert kinds_of(own, "new_scenes", texts) == []
    assert kinds_of(own, "new_scenes", {}) == ["foreign_text"]
    shouted = replace(own, instruction=own.instruction.upper())
    assert kinds_of(shouted, "context", texts) == ["leaked_text"]
    assert kinds_of(replace(own, house="flat_0_00"), "context", {}) == ["leaked_flat"]
    assert kinds_of(replace(own, house="flat_0_00"), "train_eval", texts) == []


def test_words_of_descriptions_are_looked_for_within_sentences() -> None:
    looks = load_split("referring_expressions").templates[0].slots
    look = next(slot for slot in looks if slot.kind == "look").domain[0]
    assert " " in look.forms["the"]
    said = f"put {look.forms['the'].lower()} away."
    found = [str(finding) for finding in disjoint._word_leaks({"find an apple.": "", said: ""})]
    assert any(f"train says '{look.forms['the']}' (referring_expressions)" in f for f in found)
    assert not list(disjoint._word_leaks({"find an apple.": "", "put the cup on the sofa.": ""}))


def test_held_out_categories_must_be_named_often_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one of 150 sentences: of 3,000 texts, in 20."""
    named = Counter(
        category
        for index in range(3_000)
        for value in blueprint_of(SMALL).draft(index).grounding.values.values()
        for category in value.categories
    )
    monkeypatch.setattr(disjoint, "HELD_OUT_CATEGORIES", tuple(named))
    found = list(disjoint._category_leaks(SMALL))
    rare = {name for name, count in named.items() if count < 20}
    told = {f.message.split()[-1] for f in found if not f.episode_id}
    assert told == rare
    alone = [f for f in found if f.episode_id]
    assert alone
    for finding in alone[:50]:
        index = int(finding.episode_id.split("/")[1])
        values = blueprint_of(SMALL).draft(index).grounding.values.values()
        objects = [value for value in values if value.categories]
        assert len(objects) == 1
        assert finding.message == f"names {objects[0].categories[0]}"


@pytest.mark.slow
def test_150_000_texts_are_distinct_and_nothing_leaks() -> None:
    texts = texts_of(load_spec("train"))
    assert len(texts) == 150_000
    assert check_disjoint() == []
    words = Counter(word for text in texts for word in text.rstrip(".?").split())
    assert all(words[name.split("_")[-1]] > 1_000 for name in HELD_OUT_CATEGORIES)
