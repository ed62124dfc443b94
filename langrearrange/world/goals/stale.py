"""The release's stale hand: goals read with facts cached before the skill acted. Never ranked.

The release keeps the truth of every fact that a skill's precondition asked for until the step is
over, and judges the goal by it. A pick has asked for a free hand: the hand still reads as free. A
place has asked what is held: it still reads as held, and the hand as free. Facts of opening and
closing are left out: the cached one is the opposite of the one that changes, and where a goal holds
with it, it held one step before.
"""

from __future__ import annotations

from langrearrange.world.goals.ast import And, Atom, Goal, Initially, Not, Or, Quantified
from langrearrange.world.goals.atoms import Test
from langrearrange.world.goals.compile import compile_goal
from langrearrange.world.state import Layout, WorldState


class StaleGoal:
    """A goal as the release judges it in the step of a valid skill.

    Example:
        >>> stale = StaleGoal(goal, layout, initial)
        >>> stale(before, after)
    """

    __slots__ = ("_fresh", "_stale")

    def __init__(self, goal: Goal, layout: Layout, initial: WorldState) -> None:
        """Compile the goal as `compile_goal` does; GoalError when it is too large."""
        self._fresh: Test = compile_goal(goal, layout, initial)
        self._stale: Test = compile_goal(_with_free_hand(goal), layout, initial)

    def __call__(self, before: WorldState, after: WorldState) -> bool:
        """Return whether the goal reads as true in the step from one state to the next."""
        if before.held == after.held:
            return self._fresh(after)
        # After a pick this is what is held; after a place what still reads as held.
        return self._stale(after._replace(held=max(before.held, after.held)))


def _with_free_hand(goal: Goal) -> Goal:
    """Return the goal with every `(hand_free)` true."""
    match goal:
        case Atom("hand_free"):
            return And(())
        case Not(part):
            return Not(_with_free_hand(part))
        case And(parts):
            return And(tuple(map(_with_free_hand, parts)))
        case Or(parts):
            return Or(tuple(map(_with_free_hand, parts)))
        case Quantified(quantifier, variables, body):
            return Quantified(quantifier, variables, _with_free_hand(body))
        case Initially() | Atom():
            return goal
