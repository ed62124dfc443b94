"""Which sentence and flat an index gets: distinct, balanced, independent of everything else."""

from __future__ import annotations

from collections import Counter
from functools import cache

import msgspec
import pytest

from langrearrange.generator import PUBLISHED, SplitSpec, load_spec, num_episodes
from langrearrange.generator.blueprint import Draft, blueprint_of
from langrearrange.houses import get_house, houses_for
from langrearrange.language import Place, TextSpace
from langrearrange.world.vocabulary import HELD_OUT_CATEGORIES, RECEPTACLES, TEST_SPLITS

SMALL = [name for name in PUBLISHED if name != "train"]


@cache
def drafts(split: str) -> list[Draft]:
    spec = load_spec(split)
    return [blueprint_of(spec).draft(index) for index in range(num_episodes(spec))]


@pytest.mark.parametrize("split", SMALL)
def test_texts_are_distinct_and_templates_and_flats_balanced(split: str) -> None:
    made = drafts(split)
    assert len({draft.grounding.sentence.lower() for draft in made}) == len(made)
    texts = Counter(draft.template.id for draft in made)
    spent = blueprint_of(msgspec.structs.replace(load_spec(split), num_episodes=None)).order
    sizes = dict(zip(spent.templates, spent.counts, strict=True))
    going_on = [count for name, count in texts.items() if count < sizes[name]]
    assert max(going_on) - min(going_on) <= 1
    assert max(going_on) == max(texts.values())
    flats = Counter(draft.houses[0] for draft in made)
    assert set(flats) <= set(houses_for(load_spec(split).houses))
    for template in texts:
        if not next(d for d in made if d.template.id == template).template.needs_relations:
            used = Counter(d.houses[0] for d in made if d.template.id == template)
            assert max(used.values()) - min(used.values()) <= 1


@pytest.mark.parametrize("split", TEST_SPLITS)
def test_every_test_split_has_ten_clusters_and_both_cases_alike(split: str) -> None:
    made = drafts(split)
    assert len({draft.grounding.cluster for draft in made}) >= 10
    for template in {draft.template.id: draft.template for draft in made}.values():
        cases = Counter(draft.case for draft in made if draft.template is template)
        assert len(cases) == len(template.cases)
        assert max(cases.values()) - min(cases.values()) <= 1


def test_phrasings_are_taken_in_turn() -> None:
    for template, count in Counter(d.template.id for d in drafts("validation")).items():
        said = Counter(
            d.grounding.phrasing for d in drafts("validation") if d.template.id == template
        )
        assert max(said.values()) - min(said.values()) <= 1, (template, count)


def test_remarks_and_situations_are_all_used() -> None:
    remarks = Counter(draft.grounding.statement for draft in drafts("irrelevant_text"))
    statements = drafts("irrelevant_text")[0].template.statements
    assert len(remarks) == len(statements) >= 20
    assert max(remarks.values()) - min(remarks.values()) <= 1
    assert len({draft.grounding.cluster for draft in drafts("context")}) >= 20


def test_train_mini_is_the_beginning_of_train() -> None:
    train, mini = blueprint_of(load_spec("train")), blueprint_of(load_spec("train_mini"))
    for index in range(0, 1_000, 37):
        assert mini.draft(index) == train.draft(index)
    assert min(mini.order.counts) >= 11


def test_train_eval_and_new_scenes_say_what_train_says() -> None:
    train = blueprint_of(load_spec("train"))
    number = {template.id: i for i, template in enumerate(train.file.templates)}
    for split in ("train_eval", "new_scenes"):
        said = {draft.grounding.sentence for draft in drafts(split)}
        small = [d for d in drafts(split) if train.order.counts[number[d.template.id]] < 400]
        for draft in small:
            template = number[draft.template.id]
            indices = (
                train.order.index(template, rank) for rank in range(train.order.counts[template])
            )
            assert draft.grounding.sentence in {train.draft(i).grounding.sentence for i in indices}
        assert len(said) == 100


def test_held_out_categories_stay_out_of_single_object_training_sentences() -> None:
    for template in blueprint_of(load_spec("train")).file.templates:
        objects = [slot for slot in template.slots if slot.is_object]
        named = {c for slot in objects for value in slot.domain for c in value.categories}
        if len(objects) == 1:
            assert not named & set(HELD_OUT_CATEGORIES), template.id
        elif objects:
            assert set(HELD_OUT_CATEGORIES) <= named


def test_another_key_gives_another_order_and_the_same_texts() -> None:
    open_set, sealed = (
        blueprint_of(SplitSpec(name="sealed", templates="novel_objects", num_episodes=60, key=key))
        for key in ("", "a secret of enough length")
    )
    assert open_set.num_texts == sealed.num_texts
    said = [{b.draft(i).grounding.sentence for i in range(60)} for b in (open_set, sealed)]
    assert len(said[0] & said[1]) < 10


def test_sealed_set_goes_round_when_its_texts_are_spent() -> None:
    spec = SplitSpec(
        name="endless", templates="context", num_episodes=10_000, repeat_texts=True,
        key="a secret of enough length",
    )  # fmt: skip
    blueprint = blueprint_of(spec)
    lap = len(TextSpace(blueprint.file.templates[0]))
    first, later = blueprint.draft(0), blueprint.draft(blueprint.order.index(0, lap))
    assert first.grounding.sentence == later.grounding.sentence
    assert first.rank != later.rank


def test_a_relation_means_what_is_there_in_every_flat_of_a_draft() -> None:
    referents = set()
    for draft in drafts("spatial_relationships"):
        for slot in draft.template.slots:
            if slot.kind == "relation":
                value = draft.grounding.values[slot.name]
                referents.add(value.receptacle)
                kind, _, anchors = value.key.partition("(")
                for house_id in draft.houses:
                    found = {
                        r.referent
                        for r in get_house(house_id).relations
                        if r.relation == kind and set(r.anchors) == set(anchors[:-1].split(","))
                    }
                    assert found == {value.receptacle}
    assert len(referents) >= 6


def named_targets(split: str) -> Counter[str]:
    """Count the receptacles that the sentences of a split send things to."""
    targets: Counter[str] = Counter()
    for draft in drafts(split):
        slots = [slot for slot in draft.template.slots if not slot.is_object]
        targets.update(draft.grounding.values[slot.name].receptacle for slot in slots[-1:])
    return targets


@pytest.mark.parametrize("split", [s for s in TEST_SPLITS if s != "spatial_relationships"])
def test_targets_are_balanced_in_every_test_split(split: str) -> None:
    targets = named_targets(split)
    unwanted = {"fridge"} if split == "conditional_instructions" else set()
    assert set(targets) == set(RECEPTACLES) - unwanted
    spread = max(targets.values()) - min(targets.values())
    assert split == "context" or spread <= 4, targets  # there, places suit the situation


def test_at_least_eighty_plurals_of_a_hundred_mean_several_things() -> None:
    counts = []
    for draft in drafts("multiple_objects"):
        facts = draft.grounding.start_facts(draft.case)
        counts.append(next(fact.count for fact in facts if isinstance(fact, Place)))
    assert sum(count >= 2 for count in counts) >= 80
    assert set(counts) == {1, 2, 3}


def test_places_by_their_neighbours_are_balanced_as_far_as_flats_allow() -> None:
    targets = named_targets("spatial_relationships")
    assert len(targets) >= 9
    assert max(targets.values()) <= 22, targets


@pytest.mark.parametrize("split", [s for s in SMALL if s != "spatial_relationships"])
def test_flats_are_balanced_over_the_whole_split(split: str) -> None:
    flats = Counter(draft.houses[0] for draft in drafts(split))
    assert set(flats) == set(houses_for(load_spec(split).houses))
    assert max(flats.values()) - min(flats.values()) <= 3, flats
