"""Word match: what the two word-matching agents think a sentence names and asks."""

from __future__ import annotations

from typing import Any

import pytest

from langrearrange.agents.intents import Fetch, Find, Intent, Swap, Toggle, Visit, read_intents
from langrearrange.agents.words import find_mentions
from langrearrange.language import Template, TextSpace, load_split
from langrearrange.world.vocabulary import CATEGORIES, SPOTS, english
from langrearrange.world.wording import plural_of


@pytest.mark.parametrize("name", [*CATEGORIES, *SPOTS])
def test_every_name_is_found_in_a_sentence_singular_and_plural(name: str) -> None:
    noun = english(name)
    for sentence in (
        f"Look at the {noun}.",
        f"LOOK AT THE {noun.upper()}.",
        f"All {plural_of(noun)}!",
    ):
        assert [m.name for m in find_mentions(sentence)] == [name], sentence


def test_names_are_found_as_whole_words_only() -> None:
    assert find_mentions("A bookcase, a candle, a boxer and a hammerhead shark.") == ()


def test_the_verb_can_is_no_can() -> None:
    found = find_mentions("Can you bring the can to the sofa? I can not.")
    assert [m.name for m in found] == ["can", "sofa"]


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("knife", "knives"),
        ("strawberry", "strawberries"),
        ("toy airplane", "toy airplanes"),
        ("box", "boxes"),
        ("scissors", "scissors"),
        ("peach", "peaches"),
        ("plate", "plates"),
    ],
)
def test_plurals_are_english(noun: str, plural: str) -> None:
    assert plural_of(noun) == plural


@pytest.mark.parametrize(
    ("sentence", "intents"),
    [
        ("Find an apple.", (Find("apple"), Fetch("apple", "", ""))),
        ("Go to the sofa.", (Visit("sofa"),)),
        ("Go to the middle drawer.", (Visit("middle_drawer"),)),
        ("Can you open the fridge for me?", (Toggle("fridge"),)),
        ("I left the fridge open, can you close it?", (Toggle("fridge"),)),
        ("Move an apple from the sofa to the sink.", (Fetch("apple", "sofa", "sink"),)),
        ("To the sink, bring the apple from the sofa.", (Fetch("apple", "sofa", "sink"),)),
        ("Move a book to the chair.", (Fetch("book", "", "chair"),)),
        ("Take the book off the chair.", (Fetch("book", "chair", ""),)),
        ("Remove the book from the chair.", (Fetch("book", "chair", ""),)),
        ("Put away the book in the fridge.", (Fetch("book", "", "fridge"),)),
        (
            "On the sofa there is an apple, move it to the sink.",
            (Fetch("apple", "sofa", "sink"),),
        ),
        (
            "Place a can and a lid on the chair.",
            (Fetch("can", "", "chair"), Fetch("lid", "", "chair")),
        ),
        (
            "Move the cup to the sofa, the lid to the sink, and the can to the chair.",
            (Fetch("cup", "", "sofa"), Fetch("lid", "", "sink"), Fetch("can", "", "chair")),
        ),
        (
            "Swap the cup on the sofa with the lid in the sink.",
            (Fetch("cup", "sofa", "sink"), Fetch("lid", "sink", "sofa")),
        ),
        ("Swap the cup and the lid.", (Swap("cup", "lid"),)),
        ("Put all the apples in the fridge.", (Fetch("apple", "", "fridge", everything=True),)),
        ("It is a fine day.", ()),
    ],
)
def test_plain_sentences_are_read_as_meant(sentence: str, intents: tuple[Any, ...]) -> None:
    assert read_intents(sentence) == intents


def asked(template: str, **slots: str) -> set[Intent]:
    """Return the intents that a training template means."""
    match template:
        case "go_to":
            return {Visit(slots["place"])}
        case "find":
            return {Find(slots["object"]), Fetch(slots["object"], "", "")}
        case "close_fridge" | "open_fridge":
            return {Toggle("fridge")}
        case "place_two":
            return {Fetch(slots[thing], "", slots["target"]) for thing in ("first", "second")}
        case "swap":
            here, there = slots["here"], slots["there"]
            return {Fetch(slots["first"], here, there), Fetch(slots["second"], there, here)}
    return {Fetch(slots["object"], slots.get("source", ""), slots.get("target", ""))}


@pytest.mark.parametrize("template", load_split("train").templates, ids=lambda t: t.id)
def test_every_training_phrasing_is_read_as_meant(template: Template) -> None:
    space = TextSpace(template)
    for index in range(len(template.phrasings) * min(5, len(space) // len(template.phrasings))):
        text = space[index * 7919 % len(space)]
        slots = {name: value.key for name, value in text.values.items()}
        assert set(read_intents(text.sentence)) == asked(template.id, **slots), text.sentence
