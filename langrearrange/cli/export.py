"""`langrearrange export`: episodes in the formats of other libraries."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from langrearrange.cli.common import Force, NumEpisodes, find_episode, note, open_source

if TYPE_CHECKING:
    from langrearrange.dataset import Selection
    from langrearrange.export import Exporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write episodes in a format that other libraries load."""

    episodes: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="EPISODES")
    ] = ()
    """splits, data set folders or ids of episodes"""
    out: Path
    """the file or folder to write"""
    format: str = "parquet"
    """which format; `--format NAME --help` explains it"""
    num_episodes: NumEpisodes = None
    force: Force = False


def args_type(arguments: Sequence[str]) -> type[Any]:
    """Return `Args` with one more field, `exporter`: the format named on the command line."""
    from langrearrange.export import FORMATS, exporter_type

    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--format", nargs="?", default=Args.__dataclass_fields__["format"].default)
    name = parser.parse_known_args(arguments)[0].format
    exporter = exporter_type(name or "parquet")
    listed = "".join(f"\n  {known:8} {_summary(known)}" for known in FORMATS)
    text = f"{Args.__doc__}\n\nformats:{listed}\n\n{cleandoc(exporter.__doc__ or '')}"
    options = ("exporter", Annotated[exporter, tyro.conf.arg(name="")], field(default=exporter()))
    return make_dataclass(
        "Args", [options], bases=(Args,), namespace={"__doc__": text}, frozen=True, kw_only=True
    )


def _summary(name: str) -> str:
    from langrearrange.export import exporter_type

    return (exporter_type(name).__doc__ or "").partition("\n")[0]


def run(args: Any) -> int:
    """Export; a summary goes to stderr, the paths of what was written to stdout."""
    exporter: Exporter = args.exporter
    selections = [_select(name, args.num_episodes) for name in args.episodes]
    written = exporter.write(selections, args.out, overwrite=args.force)
    note(written.summary)
    for path in written.paths:
        print(path)
    return 0


def _select(name: str, num_episodes: int | None) -> Selection:
    from langrearrange.dataset import select

    if "/" in name and not Path(name).exists():
        return find_episode(name)
    return select(open_source(name), num_episodes)
