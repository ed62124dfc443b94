"""`langrearrange play`: play one episode by hand, watch an agent, or save a replay."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from langrearrange.cli import common
from langrearrange.errors import UsageError
from langrearrange.paths import refuse_existing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from langrearrange.dataset import Episode, Selection
    from langrearrange.env import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Play an episode.

    With no --agent you drive in the terminal, with --browser on a page of your browser, where you
    see what an agent sees. With --agent or --trace the episode is replayed; --out saves it as GIF,
    MP4 or PNG. `langrearrange evaluate --agent human` plays many and writes a trace.

      langrearrange play train/000017
      langrearrange play context/000012 --browser
      langrearrange play context/000004 --agent explorer --out out/explorer.gif
      langrearrange play context/000004 --agent llarp --checkpoint out/llarp --out out/llarp.gif
    """

    episode: Annotated[str, tyro.conf.Positional] = ""
    """id such as train/000017 (variants: train/000017#2); empty: the first of train_mini"""
    agent: str = ""
    """watch random, blind_sweep, explorer, oracle, llarp or module:Class instead of driving; of an
    agent that gives the probabilities of its skills, --out shows the likeliest"""
    checkpoint: str = ""
    """weights of a trained agent: the folder of a run"""
    browser: bool = False
    """drive on a page of your browser: the same as --agent human"""
    trace: Path | None = None
    """replay the episode from a trace written by `evaluate`"""
    episodes: str = ""
    """folder of a data set that is not a published split"""
    out: Path | None = None
    """save the replay: NAME.gif, NAME.mp4 (extra [video]) or NAME.png (its last picture)"""
    hard: bool = False
    """the harder variant (paper D.3)"""
    force: common.Force = False
    pictures: common.Simulator = field(default_factory=common.SimulatorOptions)


def run(args: Args) -> int:
    """Find the episode and hand it to a person, an agent or a trace."""
    from langrearrange.dataset import select
    from langrearrange.leaderboard.animation import check_ending, record, write_animation

    if bool(args.agent) + bool(args.trace) + args.browser > 1:
        raise UsageError("give only one of --agent, --trace and --browser")
    if args.checkpoint and not args.agent:
        raise UsageError("--checkpoint is of a trained agent; add --agent NAME, such as llarp")
    if args.browser:
        args = replace(args, agent="human")
    if args.out is not None:
        if not (args.agent or args.trace):
            raise UsageError("--out saves a replay; add --agent NAME or --trace FILE")
        check_ending(args.out)
        refuse_existing(args.out, overwrite=args.force)
    if args.episode:
        chosen = common.find_episode(args.episode, args.episodes)
    else:
        chosen = select(common.open_source(args.episodes or "train_mini"), 1)
    (episode,) = chosen
    if not args.agent and not args.trace:
        return _drive(args, episode)
    probabilities: list[NDArray[np.float64]] = []
    if args.trace:
        actions = _traced(args.trace, episode)
    else:
        actions = _acted(args, chosen, probabilities)
    _tell(episode, actions, hard=args.hard)
    if args.out is not None:
        options = args.pictures.env_kwargs()
        pictures = record(episode, actions, hard=args.hard, probabilities=probabilities, **options)
        print(write_animation(args.out, pictures))
    return 0


def _traced(path: Path, episode: Episode) -> Sequence[int]:
    from langrearrange.leaderboard.trace_reader import read_trace

    actions = {line.id: line.actions for line in read_trace(path).episodes}
    if episode.id not in actions:
        held = ", ".join([*actions][:3]) + ", ..." * (len(actions) > 3)
        raise UsageError(f"{path} holds no trace of {episode.id}; it holds {held or 'none'}")
    return actions[episode.id]


def _acted(
    args: Args, chosen: Selection, probabilities: list[NDArray[np.float64]]
) -> Sequence[int]:
    """Return an agent's skills; add what it says of them, if it does, to `probabilities`."""
    from langrearrange.agents import load_rows
    from langrearrange.leaderboard.rollout import RunRules, play

    agent = load_rows(args.agent, hard=args.hard, checkpoint=args.checkpoint)
    act = agent.act_rows

    def watched(rows: Sequence[int], observations: Observation) -> Any:
        skills, found = act(rows, observations), getattr(agent, "probabilities", None)
        if found is not None and len(found):
            probabilities.append(found[0])
        return skills

    agent.act_rows = watched  # type: ignore[method-assign]
    rules = RunRules("hard" if args.hard else "paper", simulator=args.pictures.env_kwargs())
    return next(play(agent, chosen, rules)).actions


def _tell(episode: Episode, actions: Sequence[int], *, hard: bool) -> None:
    from langrearrange.env.task import Rules, Task
    from langrearrange.world import ACTION_IDS

    task = Task(episode, Rules(hard=hard))
    print(f"{episode.id}  {episode.house}\n{episode.instruction}")
    total = 0.0
    for step, action in enumerate(actions, start=1):
        reward = task.step(action)
        total += reward
        print(f"{step:3d}  {ACTION_IDS[action]:32s} {task.outcome:15s} {reward:+.2f}")
        if task.over:
            break
    verdict = "success" if task.success else "failure"
    print(f"{verdict} in {task.steps} steps (optimum {len(episode.plan)}), return {total:.2f}")


def _drive(args: Args, episode: Episode) -> int:
    if not sys.stdin.isatty():
        common.note("no terminal to type in; reading skills from standard input, one per line")
    from langrearrange.cli.drive import drive_terminal

    return drive_terminal(episode, hard=args.hard, **args.pictures.env_kwargs())
