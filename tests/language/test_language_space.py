"""Text spaces: every text once, numbered both ways, in closed form, as many as the design says."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_samples import (
    RELATIONS,
    TEMPLATES,
    grounding_of,
    relations_of,
    space_of,
    texts,
    title,
)

from langrearrange.errors import TemplateError
from langrearrange.language import Relation, Template, TemplateFile, TextSpace, load_split
from langrearrange.language.space import MAX_LISTED

Pair = tuple[TemplateFile, Template]
SMALL = [pair for pair in TEMPLATES if len(space_of(pair[1])) <= 45_000]


def train(name: str) -> TextSpace:
    return TextSpace(load_split("train").template(name))


def test_training_texts_are_phrasings_times_groundings() -> None:
    per_phrasing = {
        "move_from_to": 28 * 11 * 10, "put": 28 * 11, "take_off": 28 * 11,
        "place_two": 33 * 32 * 11, "swap": 33 * 32 * 11 * 10,
        "close_fridge": 1, "open_fridge": 1, "go_to": 11, "find": 28,
    }  # fmt: skip
    for name, count in per_phrasing.items():
        assert len(train(name)) == count * len(train(name).template.phrasings)
    assert sum(len(train(name)) for name in per_phrasing) >= 2 * 150_000


@given(texts(), st.data())
def test_other_numbers_are_other_groundings(number: tuple[int, int], data: st.DataObject) -> None:
    grounding = grounding_of(number)
    space = space_of(grounding.template)
    other = data.draw(st.sampled_from(range(len(space))))
    assert (space[other] == grounding) == (other == number[1])
    for group in grounding.template.statements[grounding.statement].distinct:
        meant = [grounding.values[name] for name in group]
        assert len({value.categories or value.receptacle for value in meant}) == len(group)


@pytest.mark.parametrize("pair", SMALL, ids=title)
def test_every_text_of_a_small_space_is_different(pair: Pair) -> None:
    space = space_of(pair[1])
    assert len({space[i].sentence.lower() for i in range(len(space))}) == len(space)


@given(texts(), st.integers(0, 10**9))
def test_different_numbers_give_different_texts(number: tuple[int, int], other: int) -> None:
    space = space_of(TEMPLATES[number[0]][1])
    first, second = number[1], other % len(space)
    same = space[first].sentence.lower() == space[second].sentence.lower()
    assert same == (first == second)


def test_numbers_outside_the_space_are_refused() -> None:
    space = train("find")
    for index in (-1, len(space)):
        with pytest.raises(IndexError, match=f"text {index} of {len(space)}"):
            space[index]


def test_statements_follow_one_another_and_fill_the_space() -> None:
    template = load_split("irrelevant_text").templates[0]
    space = TextSpace(template)
    assert len(space.statement_sizes) == len(template.statements)
    assert sum(space.statement_sizes) == len(space)
    start = 0
    for statement, size in enumerate(space.statement_sizes):
        assert space[start].statement == statement == space[start + size - 1].statement
        start += size


def test_a_million_texts_cost_nothing_to_number() -> None:
    begin = time.process_time()
    space = train("swap")
    for index in range(0, len(space), 12_345):
        space[index]
    assert time.process_time() - begin < 0.1


def test_relations_come_from_the_flats_and_must_sound_different() -> None:
    template = load_split("spatial_relationships").template("put")
    assert len(TextSpace(template, RELATIONS)) == len(RELATIONS) * 28 * len(template.phrasings)
    with pytest.raises(TemplateError, match="no flat offers a relation"):
        TextSpace(template)
    twice = (Relation("between", ("sofa", "chair"), "sink"),
             Relation("between", ("chair", "sofa"), "fridge"))  # fmt: skip
    with pytest.raises(TemplateError, match="two relations read 'between"):
        TextSpace(template, twice)


def test_a_relation_slot_differs_from_a_receptacle_by_what_it_means() -> None:
    template = load_split("spatial_relationships").template("move_to")
    space = TextSpace(template, (Relation("left_of", ("sofa",), "tv_stand"),))
    sources = {space[i].values["source"].receptacle for i in range(len(space))}
    assert len(sources) == 10
    assert "tv_stand" not in sources


def test_too_many_unlike_combinations_are_refused() -> None:
    template = load_split("irrelevant_text").templates[0]
    wide = template.slots[0]
    narrow = replace(wide, name="b", domain=wide.domain[1:])
    third, fourth = (replace(wide, name=n, domain=wide.domain[k:]) for n, k in (("c", 2), ("d", 3)))
    slots = (wide, narrow, third, fourth)
    group = (tuple(slot.name for slot in slots),)
    statement = replace(template.statements[0], slots=(), distinct=group)
    broken = replace(template, slots=slots, distinct=group, statements=(statement,))
    with pytest.raises(TemplateError, match=f"at most {MAX_LISTED}"):
        TextSpace(broken)


def test_cases_tell_their_facts_apart() -> None:
    for _, template in TEMPLATES:
        grounding = TextSpace(template, relations_of(template))[0]
        facts = [grounding.start_facts(k) for k in range(len(template.cases))]
        assert len(set(facts)) == len(template.cases)
