"""Numbers of a data set count what its episodes hold, and figures draw them."""

from __future__ import annotations

from collections import Counter

import pytest
from matplotlib.text import Text

from langrearrange.dataset import plots, select
from langrearrange.dataset.analysis import Summary, mean, summarise, text_overlap
from langrearrange.generator import open_split
from langrearrange.world.vocabulary import RECEPTACLES


@pytest.fixture(scope="module")
def summaries() -> list[Summary]:
    return [summarise(name, select(open_split(name), 30)) for name in ("context", "train_eval")]


def test_every_episode_is_counted_once(summaries: list[Summary]) -> None:
    for summary in summaries:
        assert summary.num_episodes == 30
        for counts in (summary.plan_steps, summary.templates, summary.houses, summary.clusters):
            assert counts.total() == 30
        assert summary.num_texts == len(summary.texts) == 30


def test_words_objects_and_plans_are_those_of_the_episodes() -> None:
    episodes = list(select(open_split("new_scenes"), 10))
    summary = summarise("new_scenes", episodes)
    assert summary.starts.total() == sum(len(episode.objects) for episode in episodes)
    placed = Counter(
        skill[6:-1] for episode in episodes for skill in episode.plan if skill.startswith("place(")
    )
    assert +summary.targets == placed
    assert set(summary.targets) == set(RECEPTACLES)
    assert mean(summary.plan_steps) == sum(len(e.plan) for e in episodes) / 10
    text = " ".join(episode.instruction.lower() for episode in episodes)
    assert all(word in text for word in summary.words)


def test_sets_share_all_with_themselves_and_nothing_with_others(summaries: list[Summary]) -> None:
    assert text_overlap(summaries) == [[30, 0], [0, 30]]


def test_taking_more_than_there_is_takes_all() -> None:
    assert len(list(select(open_split("context"), 1_000))) == 100


def test_every_figure_says_how_many_and_of_what(summaries: list[Summary]) -> None:
    figures = [
        plots.instruction_lengths(summaries),
        plots.plan_lengths(summaries),
        plots.word_frequencies(summaries[0]),
        plots.receptacle_balance(summaries[0]),
    ]
    for figure in figures:
        words = " ".join(text.get_text() for text in figure.findobj(Text))
        assert "30" in words or "n=" in words
    assert len(plots.overlap(summaries).axes[0].texts) == 4
