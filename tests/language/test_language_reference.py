"""Text spaces and reading back against slow references: everything listed, everything compared."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.language import (
    Grounding,
    Relation,
    TemplateFile,
    TextSpace,
    Value,
    load_lexicon,
    load_split,
    load_templates,
    read_back,
)
from langrearrange.language.schema import Statement, Template, TemplateSlot
from langrearrange.language.space import differ, relation_key
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES

LEXICON = load_lexicon()
BASE = load_split("train").template("put")


def things(*names: str) -> tuple[Value, ...]:
    return tuple(LEXICON.objects[name] for name in names)


def places(*names: str) -> tuple[Value, ...]:
    return tuple(LEXICON.receptacles[name] for name in names)


def look(category: str, index: int) -> Value:
    return LEXICON.looks[category][index]


def template(
    slots: dict[str, tuple[Value, ...]], distinct: tuple[tuple[str, ...], ...], phrasings: int = 2
) -> Template:
    """A template of these slots; what its phrasings say does not matter here."""
    made = tuple(
        TemplateSlot(name, "object" if domain[0].categories else "receptacle", domain)
        for name, domain in slots.items()
    )
    return replace(
        BASE,
        slots=made,
        distinct=distinct,
        phrasings=BASE.phrasings[:phrasings],
        statements=(Statement(distinct=distinct),),
    )


def reference(made: Template) -> set[tuple[tuple[str, str], ...]]:
    """Every admissible binding, by trying all of them."""
    names = [slot.name for slot in made.slots]
    found = set()
    for values in itertools.product(*(slot.domain for slot in made.slots)):
        bound = dict(zip(names, values, strict=True))
        meant = {name: set(v.categories) or {v.receptacle} for name, v in bound.items()}
        if all(
            meant[a].isdisjoint(meant[b])
            for group in made.distinct
            for a, b in itertools.combinations(group, 2)
        ):
            found.add(tuple((name, bound[name].key) for name in names))
    return found


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Up to four slots over few values, so that groups overlap, coincide and chain."""
    num_slots = draw(st.integers(1, 4))
    domains = {}
    for name in "abcd"[:num_slots]:
        is_object = draw(st.booleans())
        pool = CATEGORIES[:5] if is_object else RECEPTACLES[:5]
        known = LEXICON.objects if is_object else LEXICON.receptacles
        chosen = draw(st.lists(st.sampled_from(pool), min_size=1, unique=True))
        domains[name] = tuple(known[key] for key in pool if key in chosen)
    groups = draw(
        st.lists(st.lists(st.sampled_from(list(domains)), min_size=2, unique=True), max_size=2)
        if num_slots > 1
        else st.just([])
    )
    return template(domains, tuple(map(tuple, groups)), draw(st.integers(1, 3)))


def check_space(made: Template) -> None:
    space = TextSpace(made)
    wanted = reference(made)
    seen = []
    for index in range(len(space)):
        grounding = space[index]
        assert list(grounding.values) == [slot.name for slot in made.slots]
        seen.append((grounding.phrasing, tuple((n, v.key) for n, v in grounding.values.items())))
    assert len(seen) == len(set(seen))
    assert set(seen) == {(p, row) for p in range(len(made.phrasings)) for row in wanted}


@given(templates())
def test_a_space_is_every_admissible_binding_once(made: Template) -> None:
    check_space(made)


@pytest.mark.parametrize(
    ("slots", "distinct"),
    [
        # Three alike slots: ordered choices of three of five, none listed.
        (dict.fromkeys("abc", things(*CATEGORIES[:5])), (("a", "b", "c"),)),
        # A chain: a and c may be the same.
        (dict.fromkeys("abc", things("cup", "mug", "book")), (("a", "b"), ("b", "c"))),
        # Fewer values than slots: nothing is left.
        (dict.fromkeys("abc", things("cup", "mug")), (("a", "b", "c"),)),
        # Two looks of one category mean the same thing.
        (
            {"a": (look("apple", 0), look("apple", 1)), "b": things("apple", "cup")},
            (("a", "b"),),
        ),
        (dict.fromkeys("ab", (look("apple", 0), look("apple", 1), look("ball", 0))), (("a", "b"),)),
        ({"a": places("sofa", "sink"), "b": places("sink", "chair")}, (("a", "b"),)),
    ],
)
def test_spaces_with_linked_slots(
    slots: dict[str, tuple[Value, ...]], distinct: tuple[tuple[str, ...], ...]
) -> None:
    check_space(template(slots, distinct))


def test_values_differ_when_they_mean_nothing_in_common() -> None:
    either = replace(things("cup")[0], key="drink", categories=("cup", "mug"))
    assert differ([])
    assert differ(things("cup", "mug"))
    assert differ([*things("cup"), *places("sofa")])
    assert not differ(things("cup", "cup"))
    assert not differ([either, *things("mug")])
    assert not differ([look("apple", 0), look("apple", 1)])
    assert not differ([*places("sofa", "sink"), *places("sofa")])


def test_anchors_of_a_relation_have_one_order() -> None:
    assert relation_key("between", ("sofa", "chair")) == relation_key("between", ("chair", "sofa"))
    assert relation_key("between", ("sofa", "chair")) == "between(chair,sofa)"
    assert relation_key("left_of", ("sink",)) == "left_of(sink)"


def test_relations_of_other_kinds_are_not_said() -> None:
    """A slot that says only `left_of` takes no other relation of the flats."""
    spatial = load_split("spatial_relationships").template("put")
    slot = next(slot for slot in spatial.slots if slot.kind == "relation")
    narrow = replace(slot, domain=tuple(v for v in slot.domain if v.group == "left_of"))
    made = replace(spatial, slots=tuple(narrow if s is slot else s for s in spatial.slots))
    left = Relation("left_of", ("sofa",), "sink")
    space = TextSpace(made, (Relation("right_of", ("sofa",), "chair"), left))
    values = {space[i].values[slot.name] for i in range(len(space))}
    assert {(v.key, v.receptacle, v.pddl) for v in values} == {("left_of(sofa)", "sink", "sink")}


# -- reading back --------------------------------------------------------------------------------

FILE = """\
schema: 1
split: small
templates:
  fetch:
    concept: move
    slots:
      object: {kind: object, categories: [apple, scissors]}
      source: {kind: receptacle, receptacles: [sofa, fridge, sink]}
      target: {kind: receptacle, receptacles: [fridge, chair]}
    distinct: [[source, target]]
    start: [{place: object, on: source}]
    goal: "(exists (?x - {object}) (and (on_top ?x {target}) (hand_free)))"
    phrasings:
      - "Fetch {the object} {off source} and put {it object} {in target}. {statement}"
      - "{the object} {is object} {in source}: bring {it object} {into target}. {statement}"
    statement_slots:
      other: {kind: object, categories: [book, lid]}
    statements:
      none_of_it: {text: "I own {no other}.", start: [{absent: other}]}
      rain: {text: "It rains."}
  drink:
    concept: put
    slots:
      why: {kind: need, serve: [cup, mug]}
      target: {kind: receptacle, receptacles: [fridge, chair]}
    goal: "(exists (?x - {why}) (and (on_top ?x {target}) (hand_free)))"
    phrasings:
      - "I am thirsty! Put something to drink from {in target}."
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> TemplateFile:
    path = tmp_path_factory.mktemp("small") / "small.yaml"
    path.write_text(FILE)
    return load_templates(path)


def everything(file: TemplateFile) -> list[Grounding]:
    spaces = [TextSpace(made) for made in file.templates]
    return [space[i] for space in spaces for i in range(len(space))]


def test_a_small_file_says_exactly_this(small: TemplateFile) -> None:
    said = [grounding.sentence for grounding in everything(small)]
    # 2 things x (3 x 2 - 1) places x 2 phrasings x (2 + 1) remarks, and 2 places to drink at
    assert len(said) == len(set(said)) == 2 * 5 * 2 * 3 + 2
    for sentence in (
        "Fetch the apple off the sofa and put it in the fridge. I own no lid.",
        "Fetch the scissors out of the fridge and put them on the chair. It rains.",
        "The scissors are in the sink: bring them onto the chair. I own no book.",
        "I am thirsty! Put something to drink from on the chair.",
    ):
        assert sentence in said


def test_reading_back_finds_what_a_list_of_all_sentences_finds(small: TemplateFile) -> None:
    listed: dict[str, list[Grounding]] = {}
    for grounding in everything(small):
        listed.setdefault(grounding.sentence.lower(), []).append(grounding)
    for sentence, groundings in listed.items():
        assert read_back(sentence, small) == groundings
        words = sentence.split(" ")
        for i in range(len(words)):  # one word less, one word twice, two words swapped
            for changed in (
                words[:i] + words[i + 1 :],
                words[: i + 1] + words[i:],
                words[:i] + words[i : i + 2][::-1] + words[i + 2 :],
            ):
                text = " ".join(changed)
                assert read_back(text, small) == listed.get(text, []), text


def test_a_sentence_of_two_templates_has_both_readings(small: TemplateFile) -> None:
    """Two files' templates read together: readings come in file order."""
    twin = replace(small.templates[1], id="twin")
    both = replace(small, templates=(*small.templates, twin))
    grounding = TextSpace(twin)[0]
    readings = read_back(grounding.sentence, both)
    assert [reading.template.id for reading in readings] == ["drink", "twin"]
    assert readings[1] == grounding


def test_clusters_and_goals_of_a_small_file(small: TemplateFile) -> None:
    (reading,) = read_back(
        "The scissors are in the sink: bring them onto the chair. I own no book.", small
    )
    assert (reading.phrasing, reading.statement) == (1, 0)
    assert reading.cluster == "fetch/phrasing_1"
    assert reading.goal == "(exists (?x - scissors) (and (on_top ?x chair) (hand_free)))"
    assert [str(type(fact).__name__) for fact in reading.start_facts()] == ["Place", "Absent"]
    (drink,) = read_back("i am thirsty! put something to drink from in the fridge.", small)
    assert drink.goal == ("(exists (?x - (either cup mug)) (and (on_top ?x fridge) (hand_free)))")
