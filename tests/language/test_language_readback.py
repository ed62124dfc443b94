"""One reading: what was said is read back as exactly what was meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from language_samples import (
    FILES,
    NAMES,
    RELATIONS,
    TEMPLATES,
    grounding_of,
    relations_of,
    space_of,
    texts,
)

from langrearrange.language import (
    TemplateFile,
    TextSpace,
    count_templates,
    distinct_phrasings,
    load_split,
    read_back,
)


@given(texts())
def test_a_sentence_is_read_back_as_it_was_meant(number: tuple[int, int]) -> None:
    file, template = TEMPLATES[number[0]]
    grounding = grounding_of(number)
    (reading,) = read_back(grounding.sentence, file, relations_of(template))
    assert reading == grounding
    assert reading.goal == grounding.goal


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_every_phrasing_and_remark_has_one_reading(file: TemplateFile) -> None:
    for template in file.templates:
        space = space_of(template)
        start = 0
        for size in space.statement_sizes:
            for offset in range(0, size, max(1, size // 61)):
                grounding = space[start + offset]
                found = read_back(grounding.sentence, file, relations_of(template))
                assert found == [grounding], grounding.sentence
            start += size


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_thousands_of_sentences_have_one_reading(file: TemplateFile) -> None:
    for template in file.templates:
        space = space_of(template)
        for index in range(0, len(space), max(1, len(space) // 9973)):
            assert read_back(space[index].sentence, file, relations_of(template)) == [space[index]]


def test_capitals_do_not_matter_and_foreign_text_has_no_reading() -> None:
    train = load_split("train")
    assert len(read_back("PUT AN APPLE ON THE SOFA.", train)) == 1
    for foreign in ("", "Put an apple in the sofa.", "Put a apple on the sofa.", "Dance.",
                    "Put an apple on the sofa", "Put an apple on the sofa. "):  # fmt: skip
        assert read_back(foreign, train) == []


def test_slots_that_must_differ_do_not_read_alike() -> None:
    assert read_back("Move the cup from the sofa to the sofa.", load_split("train")) == []


def test_every_slot_is_read() -> None:
    swap = "Swap the cup on the sofa with the book in the sink."
    (reading,) = read_back(swap, load_split("train"))
    assert {name: value.key for name, value in reading.values.items()} == {
        "first": "cup", "second": "book", "here": "sofa", "there": "sink",
    }  # fmt: skip


def test_a_relation_is_read_with_and_without_a_flat() -> None:
    file = load_split("spatial_relationships")
    text = "Move an apple to the piece of furniture just to the left of the sofa."
    (known,) = read_back(text, file, RELATIONS)
    assert known.values["target"].receptacle == "tv_stand"
    (unknown,) = read_back(text, file)
    assert unknown.values["target"].receptacle == ""
    assert read_back(text.replace("sofa", "chair"), file, RELATIONS) == []


def test_reading_is_fast_enough_for_all_training_sentences() -> None:
    """150,000 sentences in well under a minute: a mean of 100 microseconds would do."""
    train = load_split("train")
    spaces = [TextSpace(template) for template in train.templates]
    texts = [s[i * 7919 % len(s)].sentence for s in spaces for i in range(60)]
    read_back(texts[0], train)
    begin = time.process_time()
    for text in texts:
        read_back(text, train)
    assert (time.process_time() - begin) / len(texts) < 200e-6


def test_counts_add_up() -> None:
    rows = count_templates(relations=RELATIONS)
    assert [row.split for row in rows] == [file.split for file, _ in TEMPLATES]
    assert all(row.num_texts for row in rows)
    assert {row.num_texts for row in count_templates() if row.split == "spatial_relationships"} == {
        None
    }
    assert distinct_phrasings() >= 282
    twins = [load_split("train"), load_split("novel_objects")]
    assert distinct_phrasings(twins) == distinct_phrasings(twins[:1])
