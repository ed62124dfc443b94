"""What a probe sees of fresh episodes, and what it has to guess: households as arrays, sentences.

Not for guessing (`generator.probes`). Households are drawn without plans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset import Episode
from langrearrange.generator.blueprint import Draft, blueprint_of
from langrearrange.generator.decoys import decoys_of, shapes_of
from langrearrange.generator.make import draw_episode
from langrearrange.generator.needs import needs_of
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.houses import HOUSE_IDS
from langrearrange.houses.homes import source_of
from langrearrange.language import Absent, TemplateFile, Value
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CATEGORY_INDEX,
    CONTAINERS,
    NUM_CATEGORIES,
    NUM_RECEPTACLES,
    RECEPTACLE_INDEX,
)

Array = NDArray[Any]
_LOOKS: Final = 12
"""Columns of a candidate that say neither which category it is nor where its objects stand."""


class ProbeData(NamedTuple):
    """Fresh episodes of a spec, N of them, with C = 33 categories and R = 11 receptacles.

    Attributes:
        candidates: float32[N, C, F]: each category as the household shows it, 0 where absent.
        targets: bool[N, C]: what the sentence is about.
        possible: float32[N, C]: by how many of the values that a sentence could name in this
            household each category is meant.
        places: bool[N, C, R]: where each category stands.
        ruled_out: bool[N, R]: where the sentence says that its thing is not.
        asked: bool[N]: the sentence leaves open where its thing stands, or what it is.
        hidden: bool[N]: the sentence leaves open where its thing stands.
        cases: int64[N]: start case, -1 where the template has one only.
        templates: int64[N]: number of the template.
        texts: str[N]: the sentences.
    """

    candidates: Array
    targets: Array
    possible: Array
    places: Array
    ruled_out: Array
    asked: Array
    hidden: Array
    cases: Array
    templates: Array
    texts: Array

    @property
    def present(self) -> Array:
        """bool[N, C]: which categories are there."""
        return np.asarray(self.places.any(2))


def fresh_spec(split: str, count: int) -> SplitSpec:
    """Return a spec like a published split's with fresh episodes."""
    spec = load_spec(split)
    return msgspec.structs.replace(
        spec,
        name=f"probe_{split}",
        split=f"probe_{split}",
        key="probes of households",
        num_episodes=count,
        repeat_texts=True,
    )


def probe_rows(spec: SplitSpec, start: int, stop: int) -> ProbeData:
    """Draw the episodes start .. stop - 1 of a spec (a worker's task)."""
    rows = [_row(spec, index) for index in range(start, stop)]
    return ProbeData(*(np.array(column) for column in zip(*rows, strict=True)))


def joined(parts: Sequence[ProbeData]) -> ProbeData:
    """Return the episodes of all parts."""
    return ProbeData(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def chosen(data: ProbeData, rows: Array) -> ProbeData:
    """Return the episodes of a bool[N] mask."""
    return ProbeData(*(column[rows] for column in data))


def _row(spec: SplitSpec, index: int) -> tuple[Any, ...]:
    blueprint = blueprint_of(spec)
    draft, episode = blueprint.draft(index), draw_episode(spec, index)
    places = np.zeros((NUM_CATEGORIES, NUM_RECEPTACLES), bool)
    for thing in episode.objects:
        places[CATEGORY_INDEX[thing.category], RECEPTACLE_INDEX[thing.receptacle]] = True
    said = [draft.grounding.values[slot.name].categories
            for slot in draft.template.slots if slot.is_object]  # fmt: skip
    targets = np.zeros(NUM_CATEGORIES, bool)
    targets[[CATEGORY_INDEX[name] for names in said for name in names]] = True
    ruled_out = np.zeros(NUM_RECEPTACLES, bool)
    for fact in draft.grounding.start_facts(draft.case):
        if isinstance(fact, Absent) and fact.receptacle and fact.categories in said:
            ruled_out[RECEPTACLE_INDEX[fact.receptacle]] = True
    shapes = shapes_of(draft.template)
    return (
        _candidates(episode),
        targets & places.any(1),
        _possible(blueprint.file, draft, places),
        places,
        ruled_out,
        bool(said) and not all(shape.placed and shape.named for shape in shapes),
        bool(said) and not any(shape.placed for shape in shapes),
        draft.case if len(draft.template.cases) > 1 else -1,
        blueprint.file.templates.index(draft.template),
        episode.instruction,
    )


def _candidates(episode: Episode) -> Array:
    """Return float32[C, F]: copies, per receptacle, then slots, order, yaws and the like."""
    found = np.zeros((NUM_CATEGORIES, 2 + NUM_RECEPTACLES + _LOOKS), np.float32)
    source, total = source_of(episode.house), len(episode.objects)
    crowd = Counter(thing.receptacle for thing in episode.objects)
    for position, thing in enumerate(episode.objects):
        row = found[CATEGORY_INDEX[thing.category]]
        slots, order, yaw, model = row[-_LOOKS:-9], row[-9:-6], row[-6:-5], row[-5:-4]
        if not row[0]:
            slots[0], order[0], yaw[0] = thing.slot, position / total, thing.yaw / 6283
            names = [known.id for known in source.models_of(thing.category)]
            model[0] = names.index(thing.model) / len(names)
        row[0] += 1
        row[1] += thing.receptacle in CONTAINERS
        row[2 + RECEPTACLE_INDEX[thing.receptacle]] += 1
        slots[1] = thing.slot
        slots[2] += thing.slot
        order[1] = position / total
        order[2] = max(order[2], row[2 + RECEPTACLE_INDEX[thing.receptacle]])
        row[-4] += thing.receptacle in episode.open
        row[-3] += crowd[thing.receptacle]
    present = found[:, 0] > 0
    found[present, -2], found[present, -1] = total, HOUSE_IDS.index(episode.house)
    return found


def _possible(file: TemplateFile, draft: Draft, places: Array) -> Array:
    """Return float32[C]: how many values could mean each category that is there.

    None, if it stands where no sentence of the template lets its thing stand (the fridge, when
    that decides).
    """
    template, present = draft.template, np.asarray(places.any(1))
    needs, found = needs_of(file), decoys_of(template)
    slots = [slot for slot in template.slots if slot.is_object]
    values: Sequence[Value] = [value for slot in slots for value in slot.domain]
    if needs and template in needs:
        values = needs.values
    elif found:
        values = found[1].values
    possible = np.zeros(len(CATEGORIES), np.float32)
    for value in values:
        if not any(present[CATEGORY_INDEX[name]] for name in value.avoid):
            possible[[CATEGORY_INDEX[name] for name in value.categories]] += 1
    never = [
        RECEPTACLE_INDEX[fact.receptacle]
        for fact in template.start
        if isinstance(fact, Absent) and fact.receptacle in RECEPTACLE_INDEX
        and fact.categories[0] in {slot.name for slot in slots}
    ]  # fmt: skip
    return np.where(present & ~places[:, never].any(1), possible, 0)
