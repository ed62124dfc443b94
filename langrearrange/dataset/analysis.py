"""What a data set holds, in numbers (paper B.6): lengths, words, balance, plans. Not drawing.

One pass over the episodes gives a `Summary`; `dataset.plots` draws several side by side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from langrearrange.dataset.episode import Episode
from langrearrange.world.vocabulary import CONTAINERS, RECEPTACLES

_WORD: Final = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class Summary:
    """A set of episodes in numbers. Counters map a value to how many episodes (or words) have it.

    Attributes:
        split: name of the set.
        num_episodes: how many episodes.
        num_texts: distinct instructions, capitals aside.
        words: word -> occurrences over all instructions.
        instruction_words: instruction length in words -> episodes.
        plan_steps: optimal plan length -> episodes.
        num_subgoals: number of subgoals -> episodes.
        num_objects: objects in the flat -> episodes.
        templates: template id -> episodes.
        clusters: held-out unit -> episodes.
        houses: flat id -> episodes.
        starts: receptacle -> objects that stand there at t=0.
        targets: receptacle -> times it is placed on by an optimal plan.
        hidden: objects that start in a container.
        texts: the instructions, lower case (for overlaps between sets).
    """

    split: str
    num_episodes: int
    num_texts: int
    words: Counter[str]
    instruction_words: Counter[int]
    plan_steps: Counter[int]
    num_subgoals: Counter[int]
    num_objects: Counter[int]
    templates: Counter[str]
    clusters: Counter[str]
    houses: Counter[str]
    starts: Counter[str]
    targets: Counter[str]
    hidden: int
    texts: frozenset[str]


def summarise(split: str, episodes: Iterable[Episode]) -> Summary:
    """Return the numbers of a set of episodes, in one pass."""
    words: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    plans: Counter[int] = Counter()
    subgoals: Counter[int] = Counter()
    objects: Counter[int] = Counter()
    templates: Counter[str] = Counter()
    clusters: Counter[str] = Counter()
    houses: Counter[str] = Counter()
    starts: Counter[str] = Counter({name: 0 for name in RECEPTACLES})
    targets: Counter[str] = Counter({name: 0 for name in RECEPTACLES})
    texts: set[str] = set()
    for episode in episodes:
        found = _WORD.findall(episode.instruction.lower())
        words.update(found)
        lengths[len(found)] += 1
        plans[len(episode.plan)] += 1
        subgoals[len(episode.subgoals)] += 1
        objects[len(episode.objects)] += 1
        templates[episode.template] += 1
        clusters[episode.cluster] += 1
        houses[episode.house] += 1
        starts.update(item.receptacle for item in episode.objects)
        targets.update(s[6:-1] for s in episode.plan if s.startswith("place("))
        texts.add(episode.instruction.lower())
    return Summary(
        split=split,
        num_episodes=templates.total(),
        num_texts=len(texts),
        words=words,
        instruction_words=lengths,
        plan_steps=plans,
        num_subgoals=subgoals,
        num_objects=objects,
        templates=templates,
        clusters=clusters,
        houses=houses,
        starts=starts,
        targets=targets,
        hidden=sum(starts[name] for name in CONTAINERS),
        texts=frozenset(texts),
    )


def mean(counts: Counter[int]) -> float:
    """Return the mean of the values of a counter; 0.0 for an empty one."""
    total = counts.total()
    return sum(value * count for value, count in counts.items()) / total if total else 0.0


def text_overlap(summaries: Sequence[Summary]) -> list[list[int]]:
    """Return a square table: how many instructions each pair of sets shares, capitals aside."""
    return [[len(a.texts & b.texts) for b in summaries] for a in summaries]
