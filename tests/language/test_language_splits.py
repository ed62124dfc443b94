"""What each split promises of its sentences (paper Table 1, B.5; design 3.4)."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from language_samples import (
    FILES,
    NAMES,
    RELATIONS,
    SMALL_FILE,
    TEMPLATES,
    space_of,
    write,
)

from langrearrange.language import (
    TextSpace,
    content_words,
    distinct_phrasings,
    load_lexicon,
    load_split,
    load_templates,
    verb_lemmas,
)
from langrearrange.language.checks import num_things
from langrearrange.language.lexicon import AGREEMENT_FORMS
from langrearrange.language.loader import TEXTS_OF
from langrearrange.language.schema import Phrasing
from langrearrange.language.statistics import LEMMA_OF, MASKED
from langrearrange.paths import templates_path
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import (
    CATEGORIES,
    HELD_OUT_CATEGORIES,
    SPLITS,
    TEST_SPLITS,
    TRAIN_CATEGORIES,
)

LEXICON = load_lexicon()
TRAIN = load_split("train")
SINGLE_OBJECT = ("move_from_to", "put", "take_off", "find")


def words(text: str) -> set[str]:
    """Return the words of a phrasing, without placeholders, in small letters."""
    return set(re.findall(r"[a-z']+", re.sub(r"\{[^}]*\}", " ", text.lower())))


def order(phrasing: Phrasing) -> tuple[str, ...]:
    """Return the slots in the order of their first mention."""
    return tuple(dict.fromkeys(s.slot for s in phrasing.segments if s.slot))


def test_every_split_has_its_file_and_no_file_is_left_over() -> None:
    files = {path.stem for path in templates_path().glob("*.yaml")} - {"lexicon"}
    assert files == set(TEXTS_OF.values())
    assert set(TEXTS_OF) == set(SPLITS)
    for name, file in zip(NAMES, FILES, strict=True):
        assert file.split == name
        again = load_templates(templates_path() / f"{name}.yaml")
        assert again.sha256 == file.sha256
        assert again is load_templates(templates_path() / f"{name}.yaml")


def test_training_has_the_papers_nine_concepts() -> None:
    concepts = [template.concept for template in TRAIN.templates]
    assert concepts == [
        "move", "put", "remove", "place_two", "swap", "close", "open", "go_to", "find",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "split", ["train", "novel_objects", "instruction_rephrasing", "multiple_rearrangements"]
)
def test_every_template_is_said_in_eleven_ways(split: str) -> None:
    file = load_split(split)
    assert min(len(template.phrasings) for template in file.templates) >= 11
    assert distinct_phrasings([file]) == sum(len(t.phrasings) for t in file.templates)


def test_training_speaks_with_many_words() -> None:
    assert len(content_words([TRAIN])) >= 190
    assert len(verb_lemmas([TRAIN])) >= 40


def test_content_words_are_words_without_names_and_fillers(tmp_path: Path) -> None:
    text = SMALL_FILE.replace("Fetch {the object}", "Please fetch {the object}")
    found = content_words([load_templates(write(tmp_path, text))])
    assert {"fetch", "from", "for", "the", "would", "look", "nice", "in", "on"} <= found
    assert not found & {"please", "apple", "scissors", "sofa", "object", "target"}
    assert verb_lemmas([load_templates(write(tmp_path, text))]) == {"be", "look", "want"}


def test_no_order_is_told_where_the_goal_knows_none() -> None:
    """Every phrasing of every split whose goal asks for several things at once."""
    told = re.compile(
        r"\b(then|after|afterwards|finally|first|second|third|last|lastly|before|next|once|later"
        r"|followed|following|until)\b",
        re.IGNORECASE,
    )
    several = {"place_two", "swap", "three_together", "three_apart"}
    found = set()
    for file, template in TEMPLATES:
        if num_things(parse_goal(space_of(template)[0].goal)) < 2:
            continue
        found.add(template.id)
        for phrasing in template.phrasings:
            text = re.sub(r"\{[^}]*\}", "", phrasing.text)
            assert not told.search(text), (file.split, phrasing.text)
    assert several <= found


def test_no_place_stands_behind_another_or_behind_a_description() -> None:
    """ "The tools from the drawers in the fridge", "a toy with studs on top on the sofa"."""
    long = {"receptacle", "area", "relation", "look"}
    for _, template in TEMPLATES:
        for phrasing in template.phrasings:
            parts = phrasing.segments
            for before, blank, place in zip(parts, parts[1:], parts[2:], strict=False):
                agrees = not before.slot or before.form in AGREEMENT_FORMS
                if not agrees and blank.text == " " and place.form in ("in", "into", "off"):
                    assert template.kind(before.slot) not in long, phrasing.text


def test_what_is_found_on_a_place_is_not_what_is_to_be_moved() -> None:
    """ "Should anything be on the chair, take it to the sofa": the apple, or what is there?"""
    found = re.compile(r"(any|some)thing[^:]*\{it")
    for phrasing in load_split("conditional_instructions").template("if_empty").phrasings:
        assert not found.search(phrasing.text), phrasing.text


def test_held_out_categories_are_in_no_single_object_training_sentence() -> None:
    for template in TRAIN.templates:
        named = {c for s in template.slots for v in s.domain for c in v.categories}
        if template.id in SINGLE_OBJECT:
            assert named == set(TRAIN_CATEGORIES)
        elif template.id in ("place_two", "swap"):
            assert named == set(CATEGORIES)
        else:
            assert not named


def test_novel_objects_says_what_training_says_of_other_things() -> None:
    for template in load_split("novel_objects").templates:
        twin = TRAIN.template(template.id)
        assert [p.text for p in template.phrasings] == [p.text for p in twin.phrasings]
        assert (template.goal, template.start) == (twin.goal, twin.start)
        assert {v.key for v in template.slot("object").domain} == set(HELD_OUT_CATEGORIES)


NOT_NEW = frozenset("be have".split())
"""Verbs without a meaning of their own; they may stand in both."""


def test_rephrasings_use_no_verb_of_training() -> None:
    """ "Open" stays where another verb says what to do: "pull the fridge door open"."""
    for template in load_split("instruction_rephrasing").templates:
        for phrasing in template.phrasings:
            used = {LEMMA_OF[w] for w in words(phrasing.text) & LEMMA_OF.keys()} - NOT_NEW
            assert used <= ({"open"} if template.id == "open_fridge" else set()), phrasing.text


def test_every_rephrasing_has_a_word_that_training_lacks() -> None:
    known = content_words([TRAIN])
    for template in load_split("instruction_rephrasing").templates:
        for phrasing in template.phrasings:
            belongs = {s.form for s in phrasing.segments} & {"belongs"}
            assert (words(phrasing.text) | belongs) - known - MASKED, phrasing.text
    assert len(content_words([load_split("instruction_rephrasing")]) - known) >= 100


def test_rephrasings_name_things_in_an_order_that_training_never_has() -> None:
    for template in load_split("instruction_rephrasing").templates:
        trained = {order(p) for p in TRAIN.template(template.id).phrasings}
        for phrasing in template.phrasings:
            assert len(template.slots) < 2 or order(phrasing) not in trained, phrasing.text


def test_rephrasings_have_trainings_goals() -> None:
    for template in load_split("instruction_rephrasing").templates:
        twin = TRAIN.template(template.id)
        assert (template.goal, template.start) == (twin.goal, twin.start)
        assert template.slots == twin.slots


def test_descriptions_are_three_a_category_and_never_name_a_thing() -> None:
    nouns = {f for c in CATEGORIES for f in (LEXICON.objects[c].forms[""], c.split("_")[-1])}
    nouns -= {"orange"}  # also a colour
    for category in CATEGORIES:
        looks = LEXICON.looks[category]
        assert len(looks) >= 3
        for look in looks:
            text = look.forms[""].lower()
            named = [n for n in nouns if re.search(rf"\b{re.escape(n.lower())}s?\b", text)]
            assert not named, text


def test_descriptions_occur_in_no_training_sentence() -> None:
    texts = [v.forms[""] for c in CATEGORIES for v in LEXICON.looks[c]]
    assert len(set(texts)) == len(texts)
    said = " | ".join(p.text for t in TRAIN.templates for p in t.phrasings)
    nouns = " | ".join(LEXICON.objects[c].forms[""] for c in CATEGORIES)
    assert not [text for text in texts if text in said or text in nouns]


def test_places_are_told_by_their_neighbours_only_in_spatial_relationships() -> None:
    spatial = re.compile(r"left of|right of|between|beside|next to|behind|in front of")
    for file, template in TEMPLATES:
        if template.needs_relations:
            assert file.split == "spatial_relationships"
    for template in TRAIN.templates:
        assert not any(spatial.search(p.text) for p in template.phrasings)


def test_situations_are_thirty_in_four_wordings_and_never_name_what_serves() -> None:
    templates = load_split("context").templates
    assert len(templates) >= 30
    for template in templates:
        assert len(template.phrasings) >= 4
        (thing,) = template.slot("thing").domain
        for phrasing, category in itertools.product(template.phrasings, thing.categories):
            noun = LEXICON.objects[category].forms[""].lower()
            assert not re.search(rf"\b{noun}s?\b", phrasing.text.lower()), phrasing.text


def test_remarks_are_twenty_and_about_other_things_than_the_task() -> None:
    (template,) = load_split("irrelevant_text").templates
    assert len(template.statements) >= 20
    space = TextSpace(template)
    for index in range(0, len(space), len(space) // 3000):
        values = space[index].values
        meant = [values[n].key for n in values]
        assert len(set(meant)) == len(meant)


def test_all_and_if_have_their_cases_in_balance() -> None:
    for template in load_split("multiple_objects").templates:
        names = [case.name for case in template.cases]
        assert names == ([""] if "kind" in template.id else ["one", "two", "three"])
        assert len(template.phrasings) >= 11
    for template in load_split("conditional_instructions").templates:
        assert len(template.cases) == 2
        assert len(template.phrasings) >= 11


def test_if_has_one_goal_for_both_branches() -> None:
    """Of the fridge, its state is asked for at the end; of a place, what stands there."""
    for template in load_split("conditional_instructions").templates:
        assert template.goal.count("(and (initially ") >= 2
        assert "undisturbed" in template.goal
        if [case.name for case in template.cases] == ["open", "closed"]:
            for state in ("(open fridge)", "(closed fridge)"):
                assert f"(initially {state}) {state}" in template.goal


@pytest.mark.parametrize("split", TEST_SPLITS)
def test_every_test_split_has_ten_clusters(split: str) -> None:
    clusters = set()
    for template in load_split(split).templates:
        space = space_of(template)
        step = max(1, len(space) // 4001) | 1
        clusters |= {space[index].cluster for index in range(0, len(space), step)}
    assert len(clusters) >= 10


def test_no_test_text_is_a_training_text() -> None:
    from langrearrange.language import read_back

    for file in FILES:
        if file.split == "train":
            continue
        for template in file.templates:
            space = TextSpace(template, RELATIONS)
            for index in range(0, len(space), max(1, len(space) // 150)):
                assert not read_back(space[index].sentence, TRAIN)
