"""What a data set holds, in numbers (paper B.6): lengths, words, balance, plans. Not drawing.

One pass over the episodes gives a `Summary`; `dataset.plots` draws several side by side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from langrearrange.dataset.episode import Episode
from langrearrange.world.vocabulary import CONTAINERS, RECEPTACLES

_WORD: Final = re.compile(r"[a-z']+")


def _by_receptacle() -> Counter[str]:
    return Counter({name: 0 for name in RECEPTACLES})


@dataclass(slots=True)
class Summary:
    """A set of episodes in numbers. Counters map a value to how many episodes (or words) have it.

    Attributes:
        split: name of the set.
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
        texts: the instructions, lower case (for overlaps between sets).
    """

    split: str
    words: Counter[str] = field(default_factory=Counter)
    instruction_words: Counter[int] = field(default_factory=Counter)
    plan_steps: Counter[int] = field(default_factory=Counter)
    num_subgoals: Counter[int] = field(default_factory=Counter)
    num_objects: Counter[int] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    clusters: Counter[str] = field(default_factory=Counter)
    houses: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=_by_receptacle)
    targets: Counter[str] = field(default_factory=_by_receptacle)
    texts: set[str] = field(default_factory=set)

    def add(self, episode: Episode) -> None:
        """Count one more episode."""
        text = episode.instruction.lower()
        words = _WORD.findall(text)
        self.words.update(words)
        self.instruction_words[len(words)] += 1
        self.plan_steps[len(episode.plan)] += 1
        self.num_subgoals[len(episode.subgoals)] += 1
        self.num_objects[len(episode.objects)] += 1
        self.templates[episode.template] += 1
        self.clusters[episode.cluster] += 1
        self.houses[episode.house] += 1
        self.starts.update(item.receptacle for item in episode.objects)
        self.targets.update(s[6:-1] for s in episode.plan if s.startswith("place("))
        self.texts.add(text)

    @property
    def num_episodes(self) -> int:
        """How many episodes were counted."""
        return self.templates.total()

    @property
    def num_texts(self) -> int:
        """How many distinct instructions they have, capitals aside."""
        return len(self.texts)

    @property
    def hidden(self) -> int:
        """How many objects start in a container."""
        return sum(self.starts[name] for name in CONTAINERS)


def summarise(split: str, episodes: Iterable[Episode]) -> Summary:
    """Return the numbers of a set of episodes, in one pass."""
    summary = Summary(split)
    for episode in episodes:
        summary.add(episode)
    return summary


def mean(counts: Counter[int]) -> float:
    """Return the mean of the values of a counter; 0.0 for an empty one."""
    total = counts.total()
    return sum(value * count for value, count in counts.items()) / total if total else 0.0


def text_overlap(summaries: Sequence[Summary]) -> list[list[int]]:
    """Return a square table: how many instructions each pair of sets shares, capitals aside."""
    return [[len(a.texts & b.texts) for b in summaries] for a in summaries]
