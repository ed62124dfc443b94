"""Checks between the published splits: nothing held out occurs in training."""

from __future__ import annotations

from collections.abc import Iterator

from langrearrange.dataset import EpisodeSource
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.check import Report
from langrearrange.generator.prove import Finding
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.generator.split import open_split
from langrearrange.houses import houses_for
from langrearrange.world.vocabulary import HELD_OUT_CATEGORIES, SPLITS, TEST_SPLITS

TEXTS_OF_TRAIN = ("train_mini", "train_eval", "new_scenes")
"""Splits whose every text is a text of train; of validation only the templates are."""


def texts_of(spec: SplitSpec) -> dict[str, str]:
    """Return lower-cased sentence -> episode id of all episodes, without drawing households."""
    blueprint = blueprint_of(spec)
    return {
        blueprint.draft(index).grounding.sentence.lower(): f"{spec.split}/{index:06d}"
        for index in range(blueprint.order.num_episodes)
    }


def check_disjoint(train: SplitSpec | None = None) -> list[Finding]:
    """Return every leak between the published splits; empty when there is none.

    Checked: train's texts are distinct; the nine splits other than new_scenes share no text with
    train; new_scenes, train_eval and train_mini say only what train says; descriptions
    of the test splits occur in no training text; held-out categories occur in no
    single-object training sentence and in at least 1,000 others each; the flats are those of the
    split's role.

    Args:
        train: a smaller train for quick tests; None for the published one.
    """
    spec = train or load_spec("train")
    texts = texts_of(spec)
    found = []
    wanted = blueprint_of(spec).order.num_episodes
    if len(texts) < wanted:
        found.append(Finding("duplicate_text", "", f"{len(texts)} distinct texts of {wanted}"))
    for name in (*TEST_SPLITS, "train_mini", "train_eval"):
        found += _text_leaks(open_split(name), texts)
    found += _word_leaks(texts)
    return found + list(_category_leaks(spec))


def report_between() -> Report:
    """Return `check_disjoint` as a report: its episodes are those of all published splits."""
    total = sum(blueprint_of(load_spec(name)).order.num_episodes for name in SPLITS)
    return Report("all splits", total, tuple(check_disjoint()), "", "own")


def _text_leaks(source: EpisodeSource, texts: dict[str, str]) -> Iterator[Finding]:
    role = load_spec(source.split).houses
    flats = set(houses_for(role))
    for position in range(len(source)):
        episode = source.get(position)
        known = texts.get(episode.instruction.lower())
        if source.split in TEXTS_OF_TRAIN:
            if known is None:
                yield Finding(
                    "foreign_text", episode.id, f"'{episode.instruction}' is not in train"
                )
        elif known is not None:
            yield Finding("leaked_text", episode.id, f"'{episode.instruction}' is {known} of train")
        if episode.house not in flats:
            yield Finding("leaked_flat", episode.id, f"{episode.house} is not a {role} flat")


def _word_leaks(texts: dict[str, str]) -> Iterator[Finding]:
    """Yield descriptions of objects and places that a training sentence contains."""
    everything = "\n".join(texts)
    for split in ("referring_expressions", "spatial_relationships"):
        for template in blueprint_of(load_spec(split)).file.templates:
            for slot in template.slots:
                if slot.kind in ("look", "relation"):
                    for value in slot.domain:
                        for form in set(value.forms.values()):
                            if len(form.split()) > 1 and form.lower() in everything:
                                yield Finding("leaked_words", "", f"train says '{form}' ({split})")


def _category_leaks(spec: SplitSpec) -> Iterator[Finding]:
    blueprint = blueprint_of(spec)
    named = dict.fromkeys(HELD_OUT_CATEGORIES, 0)
    for index in range(blueprint.order.num_episodes):
        values = blueprint.draft(index).grounding.values.values()
        objects = [value for value in values if value.categories]
        for value in objects:
            for category in value.categories:
                if category in named:
                    named[category] += 1
                    if len(objects) == 1:
                        yield Finding("held_out", f"{spec.split}/{index:06d}", f"names {category}")
    for category, count in named.items():
        if count * 150 < blueprint.order.num_episodes:
            yield Finding("held_out", "", f"only {count} training sentences name {category}")
