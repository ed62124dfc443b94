"""The unprivileged search agent: searches every place, remembers, and follows plain words.

It sees the state observation and the sentence, never the goal, the plan or the hidden world.
"""

from collections import deque
from collections.abc import Iterable

from langrearrange.agents.intents import Fetch, Find, Intent, Swap, Toggle, Visit, read_intents
from langrearrange.agents.percept import Percept, read_state
from langrearrange.agents.words import go_to
from langrearrange.env.observer import Observation
from langrearrange.world import NUM_SKILLS, skill_index, vocabulary

SEARCH_ORDER = (*vocabulary.SURFACES, *vocabulary.CONTAINERS)
"""Containers last: they cost a skill more to look into."""


class ExplorerAgent:
    """Carries out the intents of the sentence one by one and searches receptacles as needed.

    When all intents are done it keeps looking around; in the hard variant it stops.
    """

    modality = "state"

    def __init__(self, hard: bool = False) -> None:
        self._hard = hard
        self.reset("")

    def reset(self, instruction: str) -> None:
        """Begin an episode: forget the last one."""
        intents = read_intents(instruction)
        if self._hard:  # only find the object; picking it up is not asked for
            intents = tuple(i for i in intents if isinstance(i, Find)) or intents
        self._intents = deque(intents)
        self._memory: dict[str, dict[str, int]] = {}
        self._delivered: set[Intent] = set()
        self._rounds = 0

    def act(self, observation: Observation) -> int:
        """Return the next skill."""
        percept = read_state(observation)
        self._remember(percept)
        while self._intents:
            skill = self._advance(self._intents[0], percept)
            if skill:
                return skill_index(skill)
            self._intents.popleft()
        return NUM_SKILLS if self._hard else skill_index(self._look_around(percept))

    def _remember(self, percept: Percept) -> None:
        spot = percept.spot
        if spot in vocabulary.RECEPTACLE_INDEX and percept.openness.get(spot, True):
            self._memory[spot] = dict(percept.visible)

    # -- one intent: the next skill id, or "" when there is nothing more to do for it ----------

    def _advance(self, intent: Intent, percept: Percept) -> str:
        match intent:
            case Find(category):
                if percept.visible.get(category) or percept.held == category:
                    return ""
                return self._seek(category, percept)
            case Visit(spot):
                return "" if percept.spot == spot else go_to(spot)
            case Toggle(openable):
                return self._toggle(intent, openable, percept)
            case Swap(first, second):
                return self._swap(first, second, percept)
            case Fetch():
                return self._fetch(intent, percept)

    def _toggle(self, intent: Intent, openable: str, percept: Percept) -> str:
        if intent in self._delivered:
            return ""
        if percept.spot != openable:
            return go_to(openable)
        self._delivered.add(intent)
        return f"{'close' if percept.openness.get(openable) else 'open'}({openable})"

    def _swap(self, first: str, second: str, percept: Percept) -> str:
        for category in (first, second):
            if not self._places_of(category):
                return self._seek(category, percept)
        here, there = self._places_of(first)[0], self._places_of(second)[0]
        self._intents.popleft()
        self._intents.extendleft((Fetch(second, there, here), Fetch(first, here, there)))
        return self._advance(self._intents[0], percept)

    def _fetch(self, intent: Fetch, percept: Percept) -> str:
        if percept.held:
            wanted = intent.target if percept.held == intent.category else ""
            return self._put_down(intent, wanted or self._elsewhere(intent, percept), percept)
        if intent in self._delivered and not intent.everything:
            return ""
        if not intent.target and intent.source:
            return self._seek(intent.category, percept, (intent.source,), pick=True)
        if not intent.target and intent in self._delivered:
            return ""
        places = tuple(place for place in SEARCH_ORDER if place != intent.target)
        return self._seek(intent.category, percept, places, source=intent.source, pick=True)

    def _put_down(self, intent: Fetch, target: str, percept: Percept) -> str:
        if percept.spot != target:
            return go_to(target)
        if target in vocabulary.CONTAINERS and not percept.openness.get(target):
            return f"open({target})"
        self._delivered.add(intent)
        return f"place({target})"

    def _elsewhere(self, intent: Fetch, percept: Percept) -> str:
        if percept.spot in vocabulary.SURFACES and percept.spot != intent.source:
            return percept.spot
        return next(surface for surface in vocabulary.SURFACES if surface != intent.source)

    # -- searching -----------------------------------------------------------------------------

    def _places_of(self, category: str) -> list[str]:
        return [place for place in SEARCH_ORDER if self._memory.get(place, {}).get(category)]

    def _seek(
        self,
        category: str,
        percept: Percept,
        places: tuple[str, ...] = SEARCH_ORDER,
        *,
        source: str = "",
        pick: bool = False,
    ) -> str:
        """Return a skill towards one of the category at `places`; "" when none is left there.

        The source a sentence names is looked at first, even before what is remembered elsewhere.
        """
        order = [place for place in dict.fromkeys((source, *places)) if place in places]
        if source in order and source not in self._memory:
            return self._explore([source], percept)
        for place in order:
            if self._memory.get(place, {}).get(category):
                if percept.spot != place:
                    return go_to(place)
                return f"pick({category})" if pick else ""
        return self._explore(order, percept)

    def _explore(self, places: Iterable[str], percept: Percept) -> str:
        """Return a skill that shows the next unseen place, this one first; "" if there is none."""
        unseen = [place for place in places if place not in self._memory]
        if percept.spot in unseen:
            return f"open({percept.spot})"
        return go_to(unseen[0]) if unseen else ""

    def _look_around(self, percept: Percept) -> str:
        """Return a skill that may show more, once all intents are done."""
        if skill := self._explore(SEARCH_ORDER, percept):
            return skill
        self._rounds += 1
        return go_to(SEARCH_ORDER[self._rounds % len(SEARCH_ORDER)])
