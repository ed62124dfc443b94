"""`langrearrange round`: rank agents on sealed episodes, which anybody can verify afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg, subcommand

from langrearrange.cli import common
from langrearrange.cli.agent_options import AgentOptions
from langrearrange.cli.evaluate import RunOptions, play_agent
from langrearrange.errors import UsageError

if TYPE_CHECKING:
    from langrearrange.leaderboard.board import Row

Folder = Annotated[Path, Positional, arg(metavar="FOLDER", help="folder of the round")]


@dataclass(frozen=True, kw_only=True)
class Make:
    """Draw the secret key of a new round into FOLDER/key, which only you may read."""

    folder: Folder


@dataclass(frozen=True, kw_only=True)
class Commit:
    """Write FOLDER/round.json and print the commitment: publish it before any agent plays."""

    folder: Folder


@dataclass(frozen=True, kw_only=True)
class Run(AgentOptions):
    """Let an isolated agent play the eleven sealed sets, once; the trace goes to FOLDER/traces.

    The episodes are made in memory from the key. An interrupted run resumes with the same command;
    the episodes that were being played count as failed.
    """

    folder: Folder
    name: str
    """name of the agent in tables; each plays once"""
    perception: str = ""
    """what its encoder was trained on, <= 200 characters; by default what the agent says"""
    seed: int = 0
    """seed passed to the agent"""
    log_dir: Path | None = None
    """folder for log.txt: all tracebacks and bad answers; stderr shows the first of each kind"""


@dataclass(frozen=True, kw_only=True)
class Open:
    """End the round: put the key and the hashes of the traces into round.json, for everybody."""

    folder: Folder


@dataclass(frozen=True, kw_only=True)
class Verify:
    """Make every episode again, replay every trace, draw every picture and print the board.

    FOLDER holds round.json and traces/ of an opened round; its organiser may verify it before.
    Exit code 0: all traces are verified; 1: the round or a trace is not.
    """

    folder: Folder
    out: Path | None = None
    """also write the board as a page"""
    force: common.Force = False
    json: common.Json = False


Args = (
    Annotated[Make, subcommand("make")]
    | Annotated[Commit, subcommand("commit")]
    | Annotated[Run, subcommand("run")]
    | Annotated[Open, subcommand("open")]
    | Annotated[Verify, subcommand("verify")]
)


def run(args: Make | Commit | Run | Open | Verify) -> int:
    """Do one part of a round."""
    from langrearrange.leaderboard.rounds import Round

    match args:
        case Make():
            made = Round.make(args.folder)
            common.note(f"next: langrearrange round commit {args.folder}")
            print(made.folder / "key")
        case Commit():
            record = Round(args.folder).commit()
            common.note(
                f"{len(record.sets)} sets; publish this commitment before any agent plays, and "
                "keep the key secret"
            )
            print(record.commitment)
        case Run():
            print(_play(args))
        case Open():
            record = Round(args.folder).open()
            common.note(
                f"open, with {len(record.traces)} traces: publish {args.folder}/round.json and "
                f"{args.folder}/traces"
            )
            print(record.key)
        case Verify():
            return _verify(args)
    return 0


def _play(args: Run) -> Path:
    from langrearrange.agents import isolation_here
    from langrearrange.leaderboard.rounds import Round

    if not args.name.strip():
        raise UsageError("--name is empty; give the agent a name, under which it plays once")
    if args.agent == "human":
        raise UsageError(
            "a person cannot play a sealed round: an isolated agent has no page in the browser; "
            "play published sets with `evaluate --agent human`"
        )
    played = Round(args.folder)
    sealed = played.sealed()
    if not args.agent_url and isolation_here() == "process":
        common.note(
            "nothing on this machine isolates the agent's process, so that the run will not rank: "
            "allow user namespaces, play as root, or on another machine with --agent-url"
        )
    rules = RunOptions(
        out=played.trace_of(args.name), seed=args.seed, name=args.name,
        perception=args.perception, log_dir=args.log_dir,
    )  # fmt: skip
    sandbox = args.process.sandbox(hidden=(played.folder,))
    sources = [sealed.open(name) for name in sealed.specs]
    return play_agent(args, rules, own_process=True, sandbox=sandbox, sources=sources)


def _verify(args: Verify) -> int:
    from langrearrange.dataset import select
    from langrearrange.leaderboard.board import board_rows, read_traces, write_board
    from langrearrange.leaderboard.reference import with_reference_rows
    from langrearrange.leaderboard.rounds import Round
    from langrearrange.paths import refuse_existing

    if args.out is not None:
        refuse_existing(args.out, overwrite=args.force)
    verified = Round(args.folder)
    record, sealed = verified.record, verified.sealed()
    total = len([episode.id for name in sealed.specs for episode in select(sealed.open(name))])
    common.note(
        f"the key opens commitment {record.commitment}: {total} episodes made again"
        + ("" if record.key else "; not open yet")
    )
    options = common.ScoringOptions(round=args.folder)
    runs, left_out = read_traces(verified.traces_folder, options.score)
    for sentence in left_out:
        common.note(sentence)
    rows = with_reference_rows(runs, sealed.open, list(sealed.specs))
    if args.json:
        common.print_json(board_rows(rows))
    else:
        _print_board(rows)
    if args.out is not None:
        print(write_board(args.out, rows))
    return 1 if left_out else 0


def _print_board(rows: Sequence[Row]) -> None:
    from rich.markup import escape

    from langrearrange.leaderboard.board import board_rows

    lines = []
    for row in sorted(board_rows(rows), key=lambda row: -row["cells"]["Total"]["mean"]):
        total, rank = row["cells"]["Total"], row["rank"]
        place = "-" if rank is None else "-".join(map(str, dict.fromkeys(rank)))
        interval = f"{total['mean']:.3f} [{total['low']:.2f}, {total['high']:.2f}]"
        texts = (escape(row[name]) for name in ("agent", "sees", "tier", "played", "marks"))
        lines.append((place, *texts, interval, total["efficiency"]))
    columns = ("rank", "agent", "sees", "tier", "played", "marks", "Total", "efficiency")
    common.print_table(common.make_table("sealed round", columns, lines, 6))
