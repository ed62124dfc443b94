"""`langrearrange report`: a self-contained HTML page that replays the episodes of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from langrearrange.cli.common import Force, ScoringOptions, note
from langrearrange.paths import refuse_existing

if TYPE_CHECKING:
    from langrearrange.dataset import Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Args(ScoringOptions):
    """Replay a trace and write a page with its scores and a replay of every episode.

    The page is one file, opens offline in any browser, and lists failures first. It embeds the
    robot's camera for the first `--frames` episodes; the others are drawn as a map.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """a trace written by `evaluate`"""
    out: Path
    """the page to write, NAME.html"""
    frames: int = 6
    """number of episodes with camera images (about 100 kB each)"""
    transcript: Path | None = None
    """of a chat model (docs/chat.md): what it was told and answered stands beside the pictures"""
    force: Force = False


def run(args: Args) -> int:
    """Write the page; its path goes to stdout."""
    from langrearrange.leaderboard.animation import camera_frames
    from langrearrange.leaderboard.page import failures_first, write_page
    from langrearrange.leaderboard.transcript import read_transcript, said_in

    refuse_existing(args.out, overwrite=args.force)
    result = args.score(args.run)
    sources = {split: args.find(split) for split in result.splits}
    split_of = {played.id: played.split for played in result.episodes}

    def find_episode(episode_id: str) -> Episode:
        source = sources[split_of[episode_id]]
        return source.get(source.index_of(episode_id))

    hard = result.header.protocol == "hard"
    frames = {
        played.id: camera_frames(find_episode(played.id), played.actions, hard=hard)
        for played in failures_first(result.episodes)[: args.frames]
    }
    said = said_in(read_transcript(args.transcript)) if args.transcript else None
    path = write_page(args.out, result, find_episode, frames, said)
    note(f"{len(result.episodes)} episodes, {path.stat().st_size / 1e6:.1f} MB")
    print(path)
    return 0
