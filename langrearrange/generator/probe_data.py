"""What probes see of fresh episodes, and what they have to guess, as arrays.

Not for guessing (`generator.probes`). Households are drawn without plans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset import Episode
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.distractors import distractors_of, shapes_of
from langrearrange.generator.make import draw_episode
from langrearrange.generator.needs import needs_of
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.houses import HOUSE_IDS
from langrearrange.houses.homes import source_of
from langrearrange.language import Absent, Place, Template, TemplateFile, Value
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    CONTAINERS,
    NUM_CATEGORIES,
    NUM_RECEPTACLES,
    OPENABLES,
    RECEPTACLE_INDEX,
)

Array = NDArray[Any]
NUM_COUNTS: Final = 2 + NUM_RECEPTACLES
"""First columns of a candidate: its copies, those in containers, those on each receptacle."""
NUM_LOOKS: Final = 10
"""Further columns of a candidate."""
MAX_CASES: Final = 3


class ProbeData(NamedTuple):
    """Fresh episodes of a spec, N of them, with C = 33 categories and R = 11 receptacles.

    Attributes:
        candidates: float32[N, C, F]: each category as the household shows it, 0 where absent.
        household: float32[N, H]: number of objects, in all and by receptacle, flat, start pose.
        opened: bool[N, 5]: which openables are open.
        targets: bool[N, C]: the categories that the sentence is about.
        possible: float32[N, C]: by how many of the values that a sentence could name in this
            household each category is meant.
        places: bool[N, C, R]: where each category stands.
        ruled_out: bool[N, R]: where the sentence says that its objects are not.
        asked: bool[N]: the sentence leaves open where its objects stand, or which they are.
        hidden: bool[N]: the sentence leaves open where its objects stand.
        cases: int64[N]: start case, -1 where the template has one only.
        case_chance: float32[N, 3]: how many sentences of the template each start case would be
            true of in this household; all alike where that cannot be counted.
        templates: int64[N]: number of the template.
        texts: str[N]: the sentences.
    """

    candidates: Array
    household: Array
    opened: Array
    targets: Array
    possible: Array
    places: Array
    ruled_out: Array
    asked: Array
    hidden: Array
    cases: Array
    case_chance: Array
    templates: Array
    texts: Array

    @property
    def present(self) -> Array:
        """bool[N, C]: which categories are there."""
        return np.asarray(self.places.any(2))


def fresh_spec(split: str, count: int) -> SplitSpec:
    """Return a spec like a published split's with fresh episodes; train_mini's is train's."""
    spec = load_spec(split)
    return msgspec.structs.replace(
        spec,
        name=f"probe_{spec.split}",
        split=f"probe_{spec.split}",
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
    template = draft.template
    candidates = _candidates(episode)
    counts = candidates[:, 2:NUM_COUNTS]
    said = [draft.grounding.values[slot.name].categories
            for slot in template.slots if slot.is_object]  # fmt: skip
    targets = np.zeros(NUM_CATEGORIES, bool)
    targets[[CATEGORY_INDEX[name] for names in said for name in names]] = True
    ruled_out = np.zeros(NUM_RECEPTACLES, bool)
    for fact in draft.grounding.start_facts(draft.case):
        if isinstance(fact, Absent) and fact.receptacle and fact.categories in said:
            ruled_out[RECEPTACLE_INDEX[fact.receptacle]] = True
    shapes = shapes_of(template)
    start = episode.start
    household = [len(episode.objects), HOUSE_IDS.index(episode.house), start.x, start.y, start.yaw]
    return (
        candidates,
        np.array([*household, *counts.sum(0)], np.float32),
        [name in episode.open for name in OPENABLES],
        targets & (candidates[:, 0] > 0),
        _possible(blueprint.file, template, counts > 0),
        counts > 0,
        ruled_out,
        bool(said) and not all(shape.placed and shape.named for shape in shapes),
        bool(said) and not any(shape.placed for shape in shapes),
        draft.case if len(template.cases) > 1 else -1,
        _case_chance(template, counts),
        blueprint.file.templates.index(template),
        episode.instruction,
    )


def _candidates(episode: Episode) -> Array:
    """Return float32[C, F]: copies by place, then slots, order, yaws and the like."""
    found = np.zeros((NUM_CATEGORIES, NUM_COUNTS + NUM_LOOKS), np.float32)
    rows: dict[str, list[float]] = {}
    total = len(episode.objects)
    crowd = Counter(thing.receptacle for thing in episode.objects)
    for position, thing in enumerate(episode.objects):
        counts = rows.setdefault(thing.category, [0.0] * found.shape[1])
        looks = counts[NUM_COUNTS:]
        if not counts[0]:
            names = _model_ids(episode.house, thing.category)
            model = names.index(thing.model) / len(names)
            looks[:4] = thing.slot, position / total, thing.yaw / 6283, model
        counts[0] += 1
        counts[1] += thing.receptacle in CONTAINERS
        place = 2 + RECEPTACLE_INDEX[thing.receptacle]
        counts[place] += 1
        looks[4], looks[5] = thing.slot, looks[5] + thing.slot
        looks[6], looks[7] = position / total, max(looks[7], counts[place])
        looks[8] += thing.receptacle in episode.open
        looks[9] += crowd[thing.receptacle]
        counts[NUM_COUNTS:] = looks
    found[[CATEGORY_INDEX[name] for name in rows]] = list(rows.values())
    return found


@cache
def _model_ids(house: str, category: str) -> tuple[str, ...]:
    return tuple(model.id for model in source_of(house).models_of(category))


def _possible(file: TemplateFile, template: Template, places: Array) -> Array:
    """Return float32[C]: how many values could mean each category that is there.

    None, if it stands where no sentence of the template lets its objects stand (the fridge, when
    that decides).
    """
    meant, avoided, never = _meanings(file, template)
    present = places.any(1)
    possible = (~(avoided & present).any(1)) @ meant
    allowed = present & ~places[:, never].any(1)
    return np.where(allowed, possible, 0).astype(np.float32)


@cache
def _meanings(file: TemplateFile, template: Template) -> tuple[Array, Array, list[int]]:
    """Return what values mean, float[V, C], and avoid, bool[V, C]; where no object may stand."""
    needs, found = needs_of(file), distractors_of(template)
    slots = [slot for slot in template.slots if slot.is_object]
    values: Sequence[Value] = [value for slot in slots for value in slot.domain]
    if needs and template in needs:
        values = needs.values
    elif found:
        values = found[1].values
    meant, avoided = np.zeros((2, len(values), NUM_CATEGORIES), bool)
    for number, value in enumerate(values):
        meant[number, [CATEGORY_INDEX[name] for name in value.categories]] = True
        avoided[number, [CATEGORY_INDEX[name] for name in value.avoid]] = True
    never = [
        RECEPTACLE_INDEX[fact.receptacle]
        for fact in template.start
        if isinstance(fact, Absent) and fact.receptacle in RECEPTACLE_INDEX
        and fact.categories[0] in {slot.name for slot in slots}
    ]  # fmt: skip
    return meant.astype(float), avoided, never


def _case_chance(template: Template, counts: Array) -> Array:
    """Return float32[3]: for how many categories and places the facts of each start case hold.

    Where the cases differ otherwise than in a number of copies, each counts the same.
    """
    found = np.zeros(MAX_CASES, np.float32)
    found[: len(template.cases)] = 1
    facts = [f for case in template.cases for f in case.start if isinstance(f, Place)]
    if len(facts) == len(template.cases) > 1:
        for number, fact in enumerate(facts):
            shown = counts if fact.receptacle else counts.sum(1)
            found[number] = np.count_nonzero(shown == fact.count)
    return found
