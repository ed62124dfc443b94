"""The order of texts, flats and cases: every text once a lap, every stretch balanced."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import GenerationError, UsageError
from langrearrange.generator import SplitSpec, load_spec
from langrearrange.generator.blueprint import Blueprint, Draft, blueprint_of
from langrearrange.generator.walk import flat_relations, meanings_in
from langrearrange.houses import get_house, houses_for
from langrearrange.language import TextSpace
from langrearrange.language.space import relation_key

TRAIN = load_spec("train")
NUM_TEMPLATES = len(blueprint_of(TRAIN).file.templates)

FILE = """\
schema: 1
split: mine
templates:
  fetch:
    concept: move
    slots:
      object: {kind: object, categories: [apple, pear, plum]}
      source: {kind: receptacle, receptacles: [sofa, sink]}
      target: {kind: receptacle, receptacles: [fridge, chair, black_table, sink]}
    distinct: [[source, target]]
    start: [{place: object, on: source}]
    goal: "(exists (?x - {object}) (and (on_top ?x {target}) (hand_free)))"
    phrasings:
      - "Fetch {the object} {off source} and put {it object} {in target}."
      - "{the object} {off source} belongs {in target}."
      - "Move {the object} {off source} {into target}."
  open_it:
    concept: open
    cases:
      sofa: [{left_drawer: open}]
      sink: [{left_drawer: closed}]
      third: [{right_drawer: open}]
    start: [{fridge: closed}]
    goal: (open fridge)
    phrasings: ["Open the fridge.", "Let me see into the fridge."]
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> SplitSpec:
    path = tmp_path_factory.mktemp("walk") / "mine.yaml"
    path.write_text(FILE)
    return SplitSpec(
        name="mine", templates=str(path), num_episodes=4_000, repeat_texts=True, houses="train"
    )


def drafts_of(blueprint: Blueprint, template: str, count: int) -> list[Draft]:
    """The first drafts of a template, by rank."""
    number = blueprint.order.templates.index(template)
    return [blueprint.draft(blueprint.order.index(number, rank)) for rank in range(count)]


def said(drafts: Sequence[Draft]) -> list[str]:
    return [draft.grounding.sentence for draft in drafts]


def test_a_lap_says_every_text_once_and_the_next_says_them_again(mine: SplitSpec) -> None:
    blueprint = blueprint_of(mine)
    space = TextSpace(blueprint.file.template("fetch"))
    assert len(space) == 3 * (2 * 4 - 1) * 3
    drafts = drafts_of(blueprint, "fetch", 2 * len(space))
    lap = said(drafts)[: len(space)]
    assert sorted(lap) == sorted(space[i].sentence for i in range(len(space)))
    assert said(drafts)[len(space) :] == lap
    assert blueprint.num_texts == len(space) + 2


@pytest.mark.parametrize("template", ["put", "move_from_to", "place_two", "swap", "go_to", "find"])
def test_any_stretch_has_all_phrasings_and_targets_alike(template: str) -> None:
    """Cells are taken in turn: as many ranks as cells hold each (phrasing, target) once."""
    blueprint = blueprint_of(TRAIN)
    made = blueprint.file.template(template)
    num_phrasings = len(made.phrasings)
    places = [slot for slot in made.slots if not slot.is_object]
    num_targets = len(places[-1].domain) if places else 1
    available = blueprint.order.counts[blueprint.order.templates.index(template)]
    count = min(2 * num_phrasings * num_targets, 400, available)
    drafts = drafts_of(blueprint, template, count)
    phrasings = [draft.grounding.phrasing for draft in drafts]
    for start in range(0, count - num_phrasings, 7):
        assert len(set(phrasings[start : start + num_phrasings])) == num_phrasings
    if places:
        pairs = [(d.grounding.phrasing, d.grounding.values[places[-1].name].key) for d in drafts]
        for start in (0, 3, 50):
            stretch = pairs[start : start + num_phrasings * num_targets]
            if len(stretch) == num_phrasings * num_targets:
                assert max(Counter(stretch).values()) <= 2
        assert max(Counter(pairs[: num_phrasings * num_targets]).values()) == 1


def test_neighbours_differ_in_remark_and_nearly_always_in_phrasing() -> None:
    blueprint = blueprint_of(load_spec("irrelevant_text"))
    for template in blueprint.file.templates:
        num_remarks = len(template.statements)
        said = [d.grounding for d in drafts_of(blueprint, template.id, 3 * num_remarks)]
        for lap in range(3):
            remarks = [g.statement for g in said[lap * num_remarks : (lap + 1) * num_remarks]]
            assert sorted(remarks) == list(range(num_remarks))
        same = sum(a.phrasing == b.phrasing for a, b in itertools.pairwise(said))
        assert same <= 3, "at most where a new lap begins"


def test_every_lap_through_the_flats_takes_each_once(mine: SplitSpec) -> None:
    blueprint = blueprint_of(mine)
    size = len(blueprint.houses)
    own = [draft.houses[0] for draft in drafts_of(blueprint, "fetch", 3 * size)]
    laps = [own[size * k : size * (k + 1)] for k in range(3)]
    for lap in laps:
        assert sorted(lap) == sorted(blueprint.houses)
    # Each lap begins one flat further, so a sentence meets other flats the next time.
    for lap, next_lap in itertools.pairwise(laps):
        assert next_lap == lap[1:] + lap[:1]


def test_templates_begin_at_flats_evenly_apart(mine: SplitSpec) -> None:
    blueprint = blueprint_of(mine)
    first = drafts_of(blueprint, "fetch", 1)[0].houses
    second = drafts_of(blueprint, "open_it", 1)[0].houses
    assert sorted(first) == sorted(second) == sorted(blueprint.houses)
    assert first.index(second[0]) == len(first) // 2


def test_all_flats_of_a_draft_are_a_rotation_of_one_order(mine: SplitSpec) -> None:
    blueprint = blueprint_of(mine)
    order = drafts_of(blueprint, "fetch", 1)[0].houses
    for draft in drafts_of(blueprint, "fetch", 70):
        start = order.index(draft.houses[0])
        assert draft.houses == order[start:] + order[:start]


def test_each_block_of_ranks_holds_each_case_once(mine: SplitSpec) -> None:
    blueprint = blueprint_of(mine)
    cases = [draft.case for draft in drafts_of(blueprint, "open_it", 300)]
    blocks = [tuple(cases[i : i + 3]) for i in range(0, 300, 3)]
    assert {tuple(sorted(block)) for block in blocks} == {(0, 1, 2)}
    assert len(set(blocks)) == 6, "every order of three cases is drawn"
    number = blueprint.order.templates.index("open_it")
    assert [blueprint.case(number, rank) for rank in range(300)] == cases
    assert {draft.case for draft in drafts_of(blueprint, "fetch", 20)} == {0}


def test_variants_meet_every_case_equally_often(mine: SplitSpec) -> None:
    blueprint = blueprint_of(mine)
    number = blueprint.order.templates.index("open_it")
    seconds = set()
    for rank in range(30):
        index = blueprint.order.index(number, rank)
        draft = blueprint.draft(index)
        cases = [blueprint.variant_case(draft, index, variant) for variant in range(12)]
        assert cases[0] == draft.case
        assert {tuple(sorted(cases[i : i + 3])) for i in range(0, 12, 3)} == {(0, 1, 2)}
        seconds.add((cases[0], cases[1]))
    assert len(seconds) == 6, "which case comes next is not told by the first"


def test_a_key_changes_texts_flats_and_cases(mine: SplitSpec) -> None:
    sealed = msgspec.structs.replace(mine, key="a secret of enough length")
    one, other = (drafts_of(blueprint_of(s), "fetch", 63) for s in (mine, sealed))
    assert sorted(said(one)) == sorted(said(other))
    assert said(one) != said(other)
    assert [d.houses[0] for d in one] != [d.houses[0] for d in other]
    cases = [[d.case for d in drafts_of(blueprint_of(s), "open_it", 60)] for s in (mine, sealed)]
    assert cases[0] != cases[1]


def test_variant_zero_keeps_the_flat_and_others_stay_among_those_of_the_draft() -> None:
    blueprint = blueprint_of(load_spec("spatial_relationships"))
    for index in range(0, 100, 9):
        draft = blueprint.draft(index)
        assert blueprint.variant_house(draft, index, 0) == draft.houses[0]
        drawn = {blueprint.variant_house(draft, index, variant) for variant in range(1, 40)}
        assert drawn <= set(draft.houses)
        assert len(drawn) > 1 or len(draft.houses) == 1


# -- splits that say what train says ---------------------------------------------------------------


def test_a_view_of_trains_texts_is_one_stretch_of_trains_walk() -> None:
    train, view = blueprint_of(TRAIN), blueprint_of(load_spec("train_eval"))
    for number in range(NUM_TEMPLATES):
        template = train.file.templates[number].id
        count = train.order.counts[number]
        mine = said(drafts_of(view, template, min(view.order.counts[number], 5)))
        # Where the first of them stands, the others follow (the stretch may run over the end).
        if count < 3_000:
            walk = said(drafts_of(train, template, count))
            start = walk.index(mine[0])
            assert mine == [walk[(start + i) % count] for i in range(len(mine))]


def test_a_view_of_trains_texts_needs_trains_templates(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    spec = SplitSpec(name="mine", templates=str(path), num_episodes=10, texts="train")
    with pytest.raises(UsageError, match="train has no template 'fetch'"):
        blueprint_of(spec)


def test_more_episodes_than_texts_are_refused_with_both_numbers(mine: SplitSpec) -> None:
    spec = msgspec.structs.replace(mine, repeat_texts=False, num_episodes=66)
    with pytest.raises(GenerationError, match=r"66 episodes are wanted, .* only\s*65 different"):
        blueprint_of(spec)
    exactly = blueprint_of(msgspec.structs.replace(spec, num_episodes=65))
    assert exactly.order.counts == (63, 2)
    assert blueprint_of(msgspec.structs.replace(spec, num_episodes=None)).order.counts == (63, 2)


@pytest.mark.parametrize(("wanted", "counts"), [(10, (5, 5)), (11, (6, 5)), (1, (1, 0))])
def test_episodes_are_dealt_to_templates_evenly(
    mine: SplitSpec, wanted: int, counts: tuple[int, int]
) -> None:
    spec = msgspec.structs.replace(mine, num_episodes=wanted)
    assert blueprint_of(spec).order.counts == counts


# -- relations -------------------------------------------------------------------------------------


def test_meanings_are_the_relations_of_the_flats_that_are_more_than_names() -> None:
    houses = houses_for("test")[:5]
    meanings = meanings_in(houses)
    listed = {
        (relation_key(r.relation, r.anchors), house, r.referent)
        for house in houses
        for r in get_house(house).relations
    }
    of = {wording: {r for w, _, r in listed if w == wording} for wording, _, _ in listed}
    assert 1 in map(len, of.values())
    assert {entry for entry in listed if len(of[entry[0]]) > 1} == {
        (wording, house, relation.referent)
        for wording, by_house in meanings.items()
        for house, relation in by_house.items()
    }
    one = meanings_in(houses[:1])  # where nothing varies, everything may be said
    assert len(one) == len(get_house(houses[0]).relations)
    assert [r.referent for r in flat_relations(houses[0])] == [
        r.referent for r in get_house(houses[0]).relations
    ]


@given(st.integers(0, 99))
def test_a_spatial_sentence_means_the_same_in_every_flat_of_its_draft(index: int) -> None:
    blueprint = blueprint_of(load_spec("spatial_relationships"))
    draft = blueprint.draft(index)
    meanings = meanings_in(blueprint.houses)
    own = {}
    for slot in draft.template.slots:
        value = draft.grounding.values[slot.name]
        if slot.kind == "relation":
            own[value.key] = value.receptacle
            assert value.pddl == value.receptacle
            assert value.receptacle in draft.grounding.goal
    assert own
    for house in blueprint.houses:
        same = all(
            house in meanings[key] and meanings[key][house].referent == referent
            for key, referent in own.items()
        )
        assert same == (house in draft.houses), house
