"""Words and slots: every form of a few things by hand, domains as the YAML narrows them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from language_samples import node_of as node

from langrearrange.errors import TemplateError
from langrearrange.language import load_lexicon
from langrearrange.language.lexicon import FORMS, MAX_TEXT, indefinite, printable
from langrearrange.language.schema import Value
from langrearrange.language.slots import SlotReader, read_distinct, read_id
from langrearrange.world.vocabulary import (
    AREAS,
    CATEGORIES,
    CONTAINERS,
    GROUPS,
    HELD_OUT_CATEGORIES,
    RECEPTACLES,
    SURFACES,
    TRAIN_CATEGORIES,
)

LEXICON = load_lexicon()


def told(function: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(TemplateError) as caught:
        function(*arguments)
    return str(caught.value)


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "forms"),
    [
        ("apple", ("apple", "an apple", "the apple", "another apple", "no apple", "apples",
                   "two apples", "both apples", "it", "it", "is", "has", "belongs")),
        ("knife", ("knife", "a knife", "the knife", "another knife", "no knife", "knives",
                   "two knives", "both knives", "it", "it", "is", "has", "belongs")),
        ("scissors", ("scissors", "a pair of scissors", "the scissors",
                      "another pair of scissors", "no scissors", "scissors",
                      "two pairs of scissors", "both pairs of scissors",
                      "them", "they", "are", "have", "belong")),
    ],
)  # fmt: skip
def test_every_form_of_a_thing(category: str, forms: tuple[str, ...]) -> None:
    value = LEXICON.objects[category]
    assert tuple(value.forms[form] for form in FORMS["object"]) == forms
    assert (value.key, value.pddl, value.group) == (category, category, category)
    assert (value.categories, value.receptacle, value.avoid) == ((category,), "", ())


@pytest.mark.parametrize(
    ("receptacle", "forms"),
    [
        ("sofa", ("sofa", "the sofa", "on the sofa", "onto the sofa", "off the sofa")),
        ("fridge", ("fridge", "the fridge", "in the fridge", "into the fridge",
                    "out of the fridge")),
    ],
)  # fmt: skip
def test_every_form_of_a_place(receptacle: str, forms: tuple[str, ...]) -> None:
    value = LEXICON.receptacles[receptacle]
    assert tuple(value.forms[form] for form in FORMS["receptacle"]) == forms
    assert (value.key, value.pddl, value.receptacle) == (receptacle,) * 3
    assert value.categories == value.avoid == ()


def test_things_go_in_what_holds_them_and_on_everything_else() -> None:
    inside = {name for name, v in LEXICON.receptacles.items() if v.forms["in"].startswith("in ")}
    assert inside == {*CONTAINERS, "sink"}


def test_every_kind_of_value_has_the_forms_of_its_kind() -> None:
    for kind, values in (
        ("object", LEXICON.objects.values()),
        ("look", itertools.chain(*LEXICON.looks.values())),
        ("group", LEXICON.groups.values()),
        ("receptacle", LEXICON.receptacles.values()),
        ("area", LEXICON.areas.values()),
        ("relation", LEXICON.relations),
    ):
        for value in values:
            assert set(value.forms) == set(FORMS[kind]), value.key


def test_every_relation_that_can_be_said_is_there_once() -> None:
    keys = [value.key for value in LEXICON.relations]
    sides = [f"{side}_of({name})" for side in ("left", "right") for name in RECEPTACLES]
    pairs = [f"between({a},{b})" for a, b in itertools.combinations(RECEPTACLES, 2)]
    assert keys == sides + pairs
    assert len(keys) == 22 + 55
    assert all(v.receptacle == v.pddl == "" and not v.categories for v in LEXICON.relations)


def test_a_relation_is_said_in_four_ways() -> None:
    by_key = {value.key: value for value in LEXICON.relations}
    left = by_key["left_of(tv_stand)"]
    assert left.group == "left_of"
    assert dict(left.forms) == {
        "the": "the piece of furniture just to the left of the TV stand",
        "beside": "the piece of furniture immediately to the left of the TV stand",
        "next": "the nearest piece of furniture to the left of the TV stand",
        "what": "whatever stands just to the left of the TV stand",
    }
    between = by_key["between(chair,sofa)"]
    assert between.group == "between"
    assert dict(between.forms) == {
        "the": "the piece of furniture between the chair and the sofa",
        "beside": "the piece of furniture that stands between the chair and the sofa",
        "next": "the piece of furniture that is flanked by the chair and the sofa",
        "what": "whatever stands between the chair and the sofa",
    }
    kitchen = by_key["between(sink,fridge)"].forms
    assert kitchen["the"] == "the kitchen unit between the sink and the fridge"


def test_looks_are_numbered_and_never_fit_their_own_category() -> None:
    for category, looks in LEXICON.looks.items():
        assert [look.key for look in looks] == [f"{category}/{i}" for i in range(len(looks))]
        for look in looks:
            assert (look.pddl, look.categories, look.group) == (category, (category,), category)
            assert category not in look.avoid
            assert look.forms["a"] == f"{look.forms['a'].split()[0]} {look.forms['']}"
            assert look.forms["the"] == f"the {look.forms['']}"
            assert look.forms["it"] == "it"


def test_the_article_follows_the_first_letter() -> None:
    assert [indefinite(word) for word in ("apple", "Egg", "icon", "Orange", "umbrella")] == [
        "an"
    ] * 5
    assert [indefinite(word) for word in ("ball", "Lego", "yoyo", "hat")] == ["a"] * 4
    assert [indefinite(word) for word in ("utensil with a tip", "U-shaped", "used")] == ["a"] * 3


@pytest.mark.parametrize("length", [1, MAX_TEXT])
def test_a_text_may_be_as_long_as_an_instruction(length: int) -> None:
    assert printable(node("x" * length)) == "x" * length


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * (MAX_TEXT + 1), "1-256 characters"),
        ("''", "1-256 characters"),
        ("' x'", "blanks at the ends"),
        ("'x '", "blanks at the ends"),
        ("'x  y'", "doubled blanks"),
        ('"x\\ty"', "is not printable ASCII"),
        ('"x\\x7f"', "is not printable ASCII"),
    ],
)
def test_a_text_that_no_instruction_may_hold_is_refused(text: str, words: str) -> None:
    assert words in told(printable, node(text))


def test_the_edges_of_ascii_are_printable() -> None:
    assert printable(node('"! ~"')) == "! ~"


def test_a_letter_that_is_not_ascii_is_pointed_at() -> None:
    assert told(printable, node('"caf\u00e9"')).startswith("f.yaml:1:4: '\u00e9' is not")


# -- slots ---------------------------------------------------------------------------------------


def domain_of(text: str) -> tuple[Value, ...]:
    """Return the domain of the slot written."""
    return SlotReader(LEXICON).slots(node(f"it: {text}"))["it"].domain


def keys(text: str) -> tuple[str, ...]:
    return tuple(value.key for value in domain_of(text))


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("{kind: object}", CATEGORIES),
        ("{kind: object, categories: all}", CATEGORIES),
        ("{kind: object, categories: train}", TRAIN_CATEGORIES),
        ("{kind: object, categories: held_out}", HELD_OUT_CATEGORIES),
        # Whatever the order written, the domain keeps the vocabulary's.
        ("{kind: object, categories: [cup, apple]}",
         tuple(c for c in CATEGORIES if c in ("cup", "apple"))),
        ("{kind: object, categories: [held_out, apple]}",
         tuple(c for c in CATEGORIES if c in (*HELD_OUT_CATEGORIES, "apple"))),
        ("{kind: receptacle}", RECEPTACLES),
        ("{kind: receptacle, receptacles: surfaces}", SURFACES),
        ("{kind: receptacle, receptacles: containers}", CONTAINERS),
        ("{kind: receptacle, receptacles: surfaces, except: [sofa, sink]}",
         tuple(r for r in SURFACES if r not in ("sofa", "sink"))),
        ("{kind: relation, relations: [left_of]}",
         tuple(f"left_of({r})" for r in RECEPTACLES)),
        ("{kind: relation, except: [between, left_of]}",
         tuple(f"right_of({r})" for r in RECEPTACLES)),
        ("{kind: look, categories: [apple]}", tuple(v.key for v in LEXICON.looks["apple"])),
        ("{kind: group}", tuple(LEXICON.groups)),
        ("{kind: group, except: [fruit]}", tuple(n for n in LEXICON.groups if n != "fruit")),
        ("{kind: area}", tuple(AREAS)),
        ("{kind: area, areas: [tables]}", ("tables",)),
        ("{kind: look}", tuple(v.key for c in CATEGORIES for v in LEXICON.looks[c])),
        ("{kind: look, categories: held_out}",
         tuple(v.key for c in HELD_OUT_CATEGORIES for v in LEXICON.looks[c])),
    ],
)  # fmt: skip
def test_a_domain_is_what_was_asked_for(text: str, domain: tuple[str, ...]) -> None:
    assert keys(text) == domain


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_domains(group: str) -> None:
    assert keys(f"{{kind: object, categories: {group}}}") == tuple(
        c for c in CATEGORIES if c in GROUPS[group]
    )


@pytest.mark.parametrize(
    ("text", "pddl", "categories", "avoid"),
    [
        ("serve: [cup, mug]", "(either cup mug)", ("cup", "mug"), ()),
        ("serve: [apple], arguable: [pear, plum]", "apple", ("apple",), ("pear", "plum")),
        ("serve: [toy], arguable: [book]", "toy", GROUPS["toy"], ("book",)),
    ],
)
def test_a_need_is_served_by_one_category_or_several(
    text: str, pddl: str, categories: tuple[str, ...], avoid: tuple[str, ...]
) -> None:
    (need,) = domain_of(f"{{kind: need, {text}}}")
    assert (need.pddl, need.categories, need.avoid) == (pddl, categories, avoid)
    assert (need.receptacle, dict(need.forms)) == ("", {})


def test_a_group_is_said_by_its_noun_and_agrees_with_it() -> None:
    fruit, tools = LEXICON.groups["fruit"], LEXICON.groups["tool"]
    assert [fruit.forms[form] for form in FORMS["group"]] == [
        "fruit", "piece of fruit", "it", "it", "is", "has", "belongs"
    ]  # fmt: skip
    assert [tools.forms[form] for form in FORMS["group"]] == [
        "tools", "tool", "them", "they", "are", "have", "belong"
    ]  # fmt: skip
    assert (fruit.pddl, fruit.categories) == ("fruit", GROUPS["fruit"])
    assert tools.pddl == f"(either {' '.join(tools.categories)})"
    assert not set(tools.avoid) & set(tools.categories)


def test_an_area_is_a_type_of_receptacles_and_named_like_one() -> None:
    (kitchen,) = domain_of("{kind: area, areas: [kitchen]}")
    assert (kitchen.pddl, kitchen.receptacle, kitchen.categories) == ("kitchen", "kitchen", ())
    assert kitchen.meant == AREAS["kitchen"]
    assert (kitchen.forms["in"], kitchen.forms["off"]) == ("in the kitchen", "out of the kitchen")
    assert LEXICON.areas["counters"].forms["in"] == "on the counters"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{kind: object, categories: []}", "must be a list with at least one item"),
        ("{kind: object, categories: [cup, cup]}", "'cup' repeats what is listed already"),
        ("{kind: object, categories: [mug, held_out]}", "'held_out' repeats what is listed"),
        ("{kind: object, categories: trian}", "unknown set 'trian'; did you mean 'train'"),
        ("{kind: object, categories: [apple], except: [apple]}", "nothing is left"),
        ("{kind: object, except: [sofa]}", "unknown member to except 'sofa'"),
        ("{kind: object, receptacles: all}", "unknown key 'receptacles'"),
        ("{categories: all}", "lacks 'kind'; accepted: object, group, look"),
        ("{kind: thing}", "unknown kind of slot 'thing'"),
        ("{kind: need}", "lacks the key 'serve'"),
    ],
)
def test_a_domain_that_makes_no_sense_is_refused(text: str, words: str) -> None:
    assert words in told(keys, text)


@pytest.mark.parametrize("name", ["apple", "sofa", "fridge", "statement", "anything", "phrasing"])
def test_a_slot_may_not_be_called_what_means_something_else(name: str) -> None:
    reader = SlotReader(LEXICON)
    assert f"cannot be called '{name}'" in told(reader.slots, node(f"{name}: {{kind: object}}"))


def test_names_are_small_letters_digits_and_underscores() -> None:
    for good in ("a", "move_two", "x1", "a_"):
        assert read_id(node(good)) == good
    for bad in ("", "1x", "_x", "Move", "move-two", "m\u00f6ve", "a b"):
        with pytest.raises(TemplateError, match="invalid identifier"):
            read_id(node(f'"{bad}"'))


def test_groups_of_slots_that_differ_keep_their_order() -> None:
    slots = SlotReader(LEXICON).slots(
        node("{a: {kind: object}, b: {kind: look}, c: {kind: receptacle}, d: {kind: relation}}")
    )
    assert read_distinct(None, slots) == ()
    assert read_distinct(node("[[b, a], [c, d]]"), slots) == (("b", "a"), ("c", "d"))
    for text, words in (
        ("[[a, a]]", "'a' cannot differ from itself"),
        ("[[a, d]]", "'d' and 'a' differ anyway"),
        ("[[c]]", "two slots or more differ"),
        ("[[a, e]]", "unknown slot 'e'"),
    ):
        assert words in told(read_distinct, node(text), slots)
