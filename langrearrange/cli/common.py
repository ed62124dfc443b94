"""Shared by the verbs: options, opening episode sources, checking outputs, printing tables."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, arg

from langrearrange.errors import (
    DatasetError,
    EpisodeError,
    MissingExtraError,
    UsageError,
    did_you_mean,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.table import Table

    from langrearrange.dataset import EpisodeSource, Selection
    from langrearrange.generator.check import Report
    from langrearrange.generator.official import ImportReport

Dask = Annotated[
    str | None, arg(help="address of a Dask scheduler whose workers are used (extra [scale])")
]
Flats = Annotated[tuple[str, ...], arg(metavar="FLAT")]
Folders = Annotated[
    tuple[str, ...], arg(metavar="FOLDER", help="folders of data sets that are not published")
]
Force = Annotated[bool, arg(help="replace what is at --out")]
Json = Annotated[bool, arg(help="print JSON instead of tables")]
NumEpisodes = Annotated[
    int | None, arg(help="at most this many episodes of each set, spread evenly; None for all")
]
Key = Annotated[str, arg(help="secret of a sealed set; or set LANGREARRANGE_KEY")]
Workers = Annotated[int | None, arg(help="processes; None for one per available core")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """The simulator that renders images, for agents that see and for replays."""

    simulator: str = "embedded"
    """embedded, habitat (docs/habitat.md), or module:factory of your own"""
    homes: tuple[str, ...] = ()
    """module:factory of homes of your own that the episodes play in (docs/add-homes.md)"""
    habitat_python: str | None = None
    """Python of your Habitat environment; else what LANGREARRANGE_HABITAT_PYTHON names"""
    habitat_data: str | None = None
    """folder of Habitat data or exported flats; None exports flats when first played"""
    habitat_gpu: int | None = None
    """index of the GPU that Habitat uses, -1 for software OpenGL"""

    def env_kwargs(self) -> dict[str, Any]:
        """Return the env arguments that were given, and register the homes."""
        from langrearrange.houses import register_homes

        for source in self.homes:
            register_homes(source)
        names = ("simulator", "habitat_python", "habitat_data", "habitat_gpu")
        given = {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}


Simulator = Annotated[SimulatorOptions, OmitArgPrefixes]
Show = Annotated[int, arg(help="print at most this many findings of each set")]


def open_source(name: str) -> EpisodeSource:
    """Open a split by name or a data set folder by path.

    Raises:
        DatasetError: the folder is damaged.
        UsageError: neither a folder nor a split of this name exists.
    """
    from langrearrange.dataset import open_dataset
    from langrearrange.generator import open_split
    from langrearrange.world.vocabulary import SPLITS

    if name in SPLITS:
        return open_split(name)
    if Path(name).exists():
        return open_dataset(name)
    hint = did_you_mean(name, SPLITS) or f"; splits: {', '.join(SPLITS)}"
    raise UsageError(
        f"'{name}' is neither a split nor a data set folder (name your own set by its folder; "
        f"play, score, compare and report take it as --episodes){hint}"
    )


def find_episode(episode_id: str, folder: str = "") -> Selection:
    """Return one episode by its id, from its published split or the data set in `folder`.

    Raises:
        UsageError: no such episode.
    """
    from langrearrange.dataset import Chosen, Selection, parse_episode_id

    try:
        parsed = parse_episode_id(episode_id)
        source = open_source(folder or parsed.split)
        return Selection([Chosen(source, source.index_of(episode_id), parsed.variant)])
    except (EpisodeError, DatasetError) as error:
        raise UsageError(str(error)) from None


def sources_of(folders: Sequence[str]) -> Callable[[str], EpisodeSource]:
    """Return a function from split to source: one of the folders, else the published split."""
    own = {source.split: source for source in map(open_source, folders)}
    return lambda split: own[split] if split in own else open_source(split)


def secret_key(given: str) -> str:
    """Return the secret of a sealed set: what was given, else LANGREARRANGE_KEY."""
    return given or os.environ.get("LANGREARRANGE_KEY", "")


def make_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    left: int = 1,
    legend: str | None = None,
) -> Table:
    """Return a table: `left` columns of text, then right-aligned numbers; floats to 3 decimals.

    The legend is printed below it.
    """
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, caption=legend)
    table.title_justify = table.caption_justify = "left"
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    return table


def print_table(table: Table) -> None:
    """Print a table on stdout; wide enough not to wrap when it is piped."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 140
    Console(file=sys.stdout, width=width).print(table)


def print_json(value: object) -> None:
    """Print plain values as JSON on stdout."""
    print(json.dumps(value, indent=1))


def note(text: str) -> None:
    """Print a message on stderr; stdout is for results."""
    print(text, file=sys.stderr)


def note_findings(reports: Sequence[Report] | Sequence[ImportReport], show: int) -> None:
    """Print findings on stderr, at most `show` of each report."""
    for report in reports:
        for finding in report.findings[:show]:
            note(str(finding))
        if len(report.findings) > show:
            note(f"... and {len(report.findings) - show} more of {report.split}; see --show")


@contextmanager
def executor_of(workers: int, dask: str | None) -> Iterator[Executor | None]:
    """Yield an executor: a Dask cluster, a process pool, or None for a single worker."""
    if workers < 1:
        raise UsageError(f"--workers {workers}; accepted: 1 or more")
    if dask is not None:
        try:
            from distributed import Client
        except ImportError:
            raise MissingExtraError("--dask", "scale", "distributed") from None
        try:
            client = Client(dask, timeout="20s")
        except (OSError, ValueError) as error:
            raise UsageError(f"no Dask scheduler answers at {dask}: {error}") from None
        with client:
            yield client.get_executor()
    elif workers > 1:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        count = min(workers, 4 * (os.cpu_count() or 1))
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            yield pool
    else:
        yield None
