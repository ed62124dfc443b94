"""`langrearrange export`: episodes as parquet, or oracle demonstrations as a Minari data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from langrearrange.cli.common import check_count, note, open_source, refuse_existing


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write episodes in a format that other libraries load (extra [export]).

    parquet: one row an episode, for pandas and Hugging Face datasets:
      langrearrange export validation --out out/validation.parquet
      datasets.load_dataset("parquet", data_files="out/validation.parquet")

    minari: the optimal plans played in the env, for imitation and offline learning:
      langrearrange export train_mini --format minari --out out/minari
      MINARI_DATASETS_PATH=out/minari, then
      minari.load_dataset("langrearrange/train-mini-oracle-state-v0")
    """

    episodes: Annotated[str, tyro.conf.Positional]
    """a split or a data set folder"""
    out: Path
    """parquet: the file to write; minari: the folder of data sets"""
    format: Literal["parquet", "minari"] = "parquet"
    """which format"""
    observation: Literal["state", "rgb", "text"] = "state"
    """minari: what the demonstrations show"""
    num_episodes: int | None = None
    """minari: at most so many, spread evenly; None for all"""
    force: bool = False
    """parquet: replace an existing file"""


def run(args: Args) -> int:
    """Export; the path of what was written goes to stdout."""
    check_count(args.num_episodes)
    source = open_source(args.episodes)
    if args.format == "parquet":
        from langrearrange.dataset.export_parquet import export_parquet

        refuse_existing(args.out, force=args.force)
        count = export_parquet(source, args.out, overwrite=args.force)
        note(f"{count} episodes, one row each")
        print(args.out)
        return 0
    from langrearrange.agents.demonstrations import export_minari

    total = len(source)
    wanted = min(total, args.num_episodes or total)
    episodes = [source.get(number * total // wanted) for number in range(wanted)]
    name = source.split.replace("_", "-")
    dataset_id = f"langrearrange/{name}-oracle-{args.observation}-v0"
    folder = export_minari(episodes, dataset_id, args.out, observation=args.observation)
    note(f"{wanted} demonstrations; MINARI_DATASETS_PATH={args.out}, then load {dataset_id}")
    print(folder)
    return 0
