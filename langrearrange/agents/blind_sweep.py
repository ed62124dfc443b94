"""An agent that reads the sentence and ignores observations.

It is shown on every board: success above its own needs perception.
"""

from langrearrange.agents.words import find_mentions, go_to
from langrearrange.env.observer import Observation
from langrearrange.world import NUM_SKILLS, skill_index, vocabulary


class BlindSweepAgent:
    """Open loop: tries to pick each named category everywhere, then to place it.

    For each named category: nav, [open,] pick at all 11 receptacles in vocabulary order, then nav
    and place at the last named receptacle (27 skills for one object). With no category named: nav,
    open, close at each named place. It then starts over; in the hard variant it stops.
    """

    modality = "state"

    def __init__(self, hard: bool = False) -> None:
        self._hard = hard
        self.reset("")

    def reset(self, instruction: str) -> None:
        """Begin an episode."""
        self._script = sweep(instruction)
        self._skills = iter(self._script)

    def act(self, observation: Observation) -> int:
        """Return the next skill of the script; the observation is ignored."""
        skill = next(self._skills, None)
        if skill is not None:
            return skill
        if self._hard:
            return NUM_SKILLS
        self._skills = iter(self._script)
        return next(self._skills)


def sweep(instruction: str) -> tuple[int, ...]:
    """Return the script for a sentence; it visits every receptacle if nothing is named."""
    mentions = find_mentions(instruction)
    categories = dict.fromkeys(m.name for m in mentions if m.kind == "category")
    spots = list(dict.fromkeys(m.name for m in mentions if m.kind == "spot"))
    receptacles = [m.name for m in mentions if m.name in vocabulary.RECEPTACLE_INDEX]
    ids: list[str] = []
    for category in categories:
        for receptacle in vocabulary.RECEPTACLES:
            ids.append(f"nav({receptacle})")
            if receptacle in vocabulary.CONTAINERS:
                ids.append(f"open({receptacle})")
            ids.append(f"pick({category})")
        if receptacles:
            ids += [f"nav({receptacles[-1]})", f"place({receptacles[-1]})"]
    if not categories:
        for spot in spots or vocabulary.RECEPTACLES:
            ids.append(go_to(spot))
            if spot in vocabulary.OPENABLE_INDEX:
                ids += [f"open({spot})", f"close({spot})"]
    return tuple(map(skill_index, ids))
