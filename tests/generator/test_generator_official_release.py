"""The released files themselves, where a clone of the release is at hand: counts as published.

Run with LANGREARRANGE_OFFICIAL=<the release's folder of pickles>.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from langrearrange.dataset import episode_problems
from langrearrange.errors import DatasetError
from langrearrange.generator.official import import_official

FOLDER = os.environ.get("LANGREARRANGE_OFFICIAL", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="LANGREARRANGE_OFFICIAL names no folder")

# file, scenes, different texts, fewest and most objects, stored subgoals, findings
FILES: tuple[tuple[object, ...], ...] = (
    ("new_scenes", 15, 98, (35, 35), {2: 10, 3: 15, 4: 43, 7: 1, 8: 31}, {}),
    ("rephrasing", 16, 86, (34, 34), {2: 15, 3: 12, 4: 57, 8: 16}, {}),
    ("referring_expressions", 6, 88, (34, 34), {3: 2, 4: 98}, {}),
    ("spatial_relationships", 5, 91, (35, 35), {3: 32, 4: 68}, {}),
    ("context", 6, 90, (34, 34), {3: 1, 4: 99}, {}),
    ("irrelevant_text", 15, 94, (35, 35), {3: 2, 4: 98}, {"statement_false": 51}),
    ("multiple_objects", 1, 99, (35, 35), {11: 1, 12: 99}, {}),
    (
        "multiple_rearrangements",
        16,
        97,
        (45, 54),
        {3: 3, 4: 54, 6: 5, 7: 6, 8: 32},
        {"for_all_of_one": 46, "partly_done": 12, "source_empty": 51},
    ),
    ("novel_objects", 15, 74, (35, 35), {3: 3, 4: 97}, {}),
    ("conditional_instructions", 9, 100, (34, 34), {3: 2, 4: 98}, {"over_30_tokens": 17}),
    (
        "train_validation",
        15,
        86,
        (35, 35),
        {1: 14, 2: 15, 3: 9, 4: 47, 7: 2, 8: 13},
        {"already_true": 1},
    ),
)
SWAPPED = {
    "multiple_objects": "official_multiple_rearrangements",
    "multiple_rearrangements": "official_multiple_objects",
    "rephrasing": "official_instruction_rephrasing",
}


@pytest.mark.parametrize(("stem", "scenes", "texts", "objects", "subgoals", "findings"), FILES)
def test_a_released_file_is_imported_whole(
    stem: str,
    scenes: int,
    texts: int,
    objects: tuple[int, int],
    subgoals: dict[int, int],
    findings: dict[str, int],
) -> None:
    imported = import_official(Path(FOLDER) / f"{stem}.pickle")
    report = imported.report
    assert report.split == SWAPPED.get(stem, f"official_{stem}")
    assert (report.num_episodes, report.num_written) == (100, 100)
    assert (report.num_scenes, report.num_texts, report.objects) == (scenes, texts, objects)
    assert report.stored_subgoals == subgoals
    assert report.counts == findings
    for episode in imported.episodes:
        if episode.plan:
            assert episode_problems(episode) == []


def test_the_training_file_is_a_pointer_unless_fetched() -> None:
    path = Path(FOLDER) / "train.pickle"
    if path.stat().st_size < 1_000:
        with pytest.raises(DatasetError, match="git lfs pull"):
            import_official(path)
