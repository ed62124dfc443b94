"""Reading of saved moments, from anybody: typed, and only what play could have led to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from langrearrange.dataset.codec import BAD_JSON
from langrearrange.dataset.episode import MAX_OBJECTS, Episode
from langrearrange.env.config import EnvConfig
from langrearrange.env.episodes import Source, find_episode
from langrearrange.env.sampling import Sampler
from langrearrange.env.saving import SAVED_VERSION, rules_of
from langrearrange.env.task import STOP, Progress, Task
from langrearrange.errors import UsageError
from langrearrange.world import SKILLS, Outcome, WorldState
from langrearrange.world.vocabulary import IN_HAND, NUM_OPENABLES, START

_Natural = Annotated[int, msgspec.Meta(ge=0)]
_Receptacle = Annotated[int, msgspec.Meta(ge=0, le=IN_HAND)]
_NOT_SAVED = "is not a saved state; accepted: what save_state() returned"


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record of a saved state."""


class _State(_Strict, frozen=True):
    place: Annotated[int, msgspec.Meta(ge=0, le=START)]
    held: Annotated[int, msgspec.Meta(ge=-1, lt=MAX_OBJECTS)]
    receptacles: tuple[_Receptacle, ...]
    slots: tuple[_Natural, ...]
    open_mask: Annotated[int, msgspec.Meta(ge=0, lt=1 << NUM_OPENABLES)]


class _Progress(_Strict, frozen=True):
    state: _State
    outcome: Outcome
    steps: _Natural
    action: Annotated[int, msgspec.Meta(ge=-1, le=STOP)]
    held_before: Annotated[int, msgspec.Meta(ge=-1, lt=MAX_OBJECTS)]
    reached: _Natural
    holding: _Natural
    success: bool
    terminated: bool
    truncated: bool


class _Order(_Strict, frozen=True):
    seed: _Natural
    cursor: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
    drawn: dict[str, _Natural]


class _Saved(_Strict, frozen=True):
    schema_version: int
    rules: dict[str, Any]
    episode_id: str
    progress: _Progress
    order: _Order


class Moment(NamedTuple):
    """A saved moment: which episode, how far it is, where the order of episodes stands."""

    episode: Episode
    progress: Progress
    order: dict[str, Any]


def read_saved(saved: Any, config: EnvConfig, source: Source, sampler: Sampler) -> Moment:
    """Return a saved moment of an env; nothing is changed by it.

    Args:
        saved: what `saved_env` returned, or anything.
        config: of the env that is to go there.
        source: its episodes.
        sampler: which is to continue the order.

    Raises:
        UsageError: not a saved state, of another version, of an env with other rules, or of a
            moment that no play leads to; the message says which.
        DatasetError, EpisodeError: the source has no such episode.
    """
    if not isinstance(saved, Mapping) or not {*_Saved.__struct_fields__} <= saved.keys():
        raise UsageError(f"{saved!r:.60} {_NOT_SAVED}")
    version = saved["schema_version"]
    if version != SAVED_VERSION:
        raise UsageError(
            f"a saved state of schema version {version!r:.60}; this release reads {SAVED_VERSION}"
        )
    try:
        record = msgspec.convert(saved, _Saved)
    except BAD_JSON as error:
        raise UsageError(f"this {_NOT_SAVED} ({error})") from None
    ours = rules_of(config)
    for name in sorted(ours | record.rules):
        if record.rules.get(name) != ours.get(name):
            raise UsageError(
                f"the state was saved with {name:.60}={record.rules.get(name)!r:.60}, this env has "
                f"{ours.get(name)!r}; make the env with the same arguments"
            )
    order = msgspec.structs.asdict(record.order)
    sampler.check(order)
    episode = find_episode(source, record.episode_id)
    fields = msgspec.structs.asdict(record.progress)
    state = WorldState(**msgspec.structs.asdict(fields.pop("state")))
    progress = Progress(state=state, **fields)
    for wrong in _impossible(progress, Task(episode, config.rules)):
        raise UsageError(f"no play of {episode.id} leads to this saved state: {wrong}")
    return Moment(episode, progress, order)


def _impossible(progress: Progress, task: Task) -> Iterator[str]:
    """Yield why an episode, given at t=0, cannot have come so far; by counts and ranges alone."""
    start, state, steps = task.progress, progress.state, progress.steps
    if (progress.outcome is Outcome.NONE or not steps) and progress != start:
        yield f"after {steps} steps and the outcome '{progress.outcome}' it is not the start"
    if steps > task.rules.horizon:
        yield f"{steps} steps; the horizon is {task.rules.horizon}"
    if len(state.receptacles) != len(state.slots) or len(state.slots) != task.layout.num_objects:
        yield f"places of {len(state.slots)} objects; the episode has {task.layout.num_objects}"
        return
    in_hand = [obj for obj, where in enumerate(state.receptacles) if where == IN_HAND]
    if in_hand != [state.held] * (state.held >= 0) or any(state.slots[obj] for obj in in_hand):
        yield f"object {state.held} is held, objects {in_hand} are in the hand"
    spots = list(zip(state.receptacles, state.slots, strict=True))
    before = list(zip(start.state.receptacles, start.state.slots, strict=True))
    if len(set(spots)) < len(spots):
        yield "two objects stand in one slot"
    moved = [(old, new) for old, new in zip(before, spots, strict=True) if old != new]
    if any(slot > len(spots) for _, (_, slot) in moved):
        yield "an object stands in a slot that is never filled"
    opened = (state.open_mask ^ start.state.open_mask).bit_count()
    needed = 2 * len(moved) - len(in_hand) + opened + (state.place != START)
    if needed > steps or (state.place == START and state != start.state):
        yield f"{steps} steps; so much cannot have changed in them"
    if not task.layout.present >> state.place & 1 and state.place != START:
        yield "the robot stands at what the home has not"
    marked = progress.reached | progress.holding
    if marked >> task.num_subgoals or progress.reached & progress.holding:
        yield f"its masks do not fit {task.num_subgoals} subgoals"
    if progress != start and not _follows(progress, task):
        yield f"action {progress.action} does not lead there"
    yield from _wrong_end(progress, task)


def _follows(progress: Progress, task: Task) -> bool:
    """Whether the last action may have led to a moment, by what it does to robot and hand."""
    state, held, before = progress.state, progress.state.held, progress.held_before
    if not 0 <= progress.action < task.rules.num_actions:
        return False
    skill = SKILLS[progress.action] if progress.action != STOP else None
    if skill is None or progress.outcome.invalid or skill.kind in ("open", "close"):
        return before == held
    if skill.kind == "nav":
        return before == held and state.place == skill.argument
    if skill.kind == "pick":
        return before < 0 <= held and task.layout.categories[held] == skill.argument
    return held < 0 <= before < len(state.slots) and state.receptacles[before] == skill.argument


def _wrong_end(progress: Progress, task: Task) -> Iterator[str]:
    """Yield what is wrong with how a moment says that its episode ended, or goes on."""
    rules, invalid = task.rules, progress.outcome.invalid
    if progress.truncated != (progress.steps >= rules.horizon and not progress.terminated):
        yield "'truncated' does not fit its steps"
    task.restore(progress)
    judged = task.goal_holds and progress.steps > 0
    if rules.hard:
        stopped = progress.terminated and not invalid
        if invalid > progress.terminated or progress.success != (stopped and judged):
            yield "'success' and 'terminated' do not fit its outcome"
    elif progress.success != progress.terminated or (
        rules.semantics == "paper" and progress.success != judged
    ):
        yield "'success' and 'terminated' do not fit its goal"
