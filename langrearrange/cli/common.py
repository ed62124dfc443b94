"""Shared by the verbs: options, opening episode sources, checking outputs, printing tables."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from tyro.conf import OmitArgPrefixes, arg

from langrearrange.errors import (
    DatasetError,
    EpisodeError,
    MissingExtraError,
    UsageError,
    did_you_mean,
    printable,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.table import Table

    from langrearrange.dataset import EpisodeSource, Selection
    from langrearrange.generator.check import Report
    from langrearrange.generator.official import ImportReport
    from langrearrange.leaderboard.score import Result

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
    int | None,
    arg(help="at most this many episodes of each set, its templates in turn; None for all"),
]
Key = Annotated[str, arg(help="secret of a set of your own; or set LANGREARRANGE_KEY")]
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

    split, slash, number = episode_id.partition("/")
    if number.isascii() and number.isdigit():
        episode_id = f"{split}{slash}{number:0>6}"  # context/4 can only mean one
    try:
        parsed = parse_episode_id(episode_id)
        source = open_source(folder or parsed.split)
        return Selection([Chosen(source, source.index_of(episode_id), parsed.variant)])
    except (EpisodeError, DatasetError) as error:
        raise UsageError(str(error)) from None


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """What a trace is judged by: all of it is named here, nothing by the trace."""

    episodes: Folders = ()
    round: Path | None = None
    """folder or round.json of a sealed round, whose sets are made again from its key and ranked"""
    pictures: Literal["some", "all", "none"] = "some"
    """draw what rgb agents saw again, to compare hashes: 8 episodes, all (x86-64, 10 s), none;
    of a round always all"""
    observation: tuple[str, ...] = ()
    """module:factory of modalities that a trace may have besides the package's own"""

    @cached_property
    def find(self) -> Callable[[str], EpisodeSource]:
        """How to find a split: a set named on the command line, of the round, or published."""
        from langrearrange.generator import open_split

        own = {source.split: source for source in map(open_source, self.episodes)}
        find: Callable[[str], EpisodeSource] = open_split
        if self.round is not None:
            from langrearrange.leaderboard.rounds import Round

            find = Round(self.round).sealed().open
        return lambda split: own[split] if split in own else find(split)

    def score(self, path: Path) -> Result:
        """Replay and score a trace."""
        from langrearrange.leaderboard.score import score_trace

        pictures = self.pictures
        if self.round is not None:
            from langrearrange.leaderboard.rounds import Round

            Round(self.round).refuse_late(path)
            pictures = "all"
        return score_trace(path, self.find, pictures=pictures, observations=self.observation)


def secret_key(given: str) -> str:
    """Return the secret of a set: what was given, else LANGREARRANGE_KEY."""
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


def print_table(table: Table, *, markdown: bool = False) -> None:
    """Print a table on stdout; wide enough not to wrap when it is piped."""
    from rich import box
    from rich.console import Console

    if markdown:
        table.box = box.MARKDOWN
    width = None if sys.stdout.isatty() else 140
    Console(file=sys.stdout, width=width).print(table)


def print_json(value: object) -> None:
    """Print plain values as JSON on stdout."""
    print(json.dumps(value, indent=1))


def note(text: str) -> None:
    """Print a message on stderr: stdout is for results."""
    print(printable(text), file=sys.stderr)


def note_findings(reports: Sequence[Report] | Sequence[ImportReport], show: int) -> None:
    """Print findings on stderr, at most `show` of each report."""
    for report in reports:
        for finding in report.findings[:show]:
            note(str(finding))
        if len(report.findings) > show:
            note(f"... and {len(report.findings) - show} more of {report.split}; see --show")


class Pool(NamedTuple):
    """What runs jobs elsewhere, and how many at a time."""

    executor: Executor
    workers: int


@contextmanager
def executor_of(
    workers: int, dask: str | None, log_dir: Path | None = None
) -> Iterator[Pool | None]:
    """Yield what runs jobs elsewhere: a Dask cluster, processes, or None for a single worker.

    Args:
        workers: how many processes.
        dask: address of a scheduler, or None.
        log_dir: where processes log what happens in them; see `log_to`.
    """
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
            yield Pool(client.get_executor(), sum(client.nthreads().values()) or 1)
    elif workers > 1:
        from langrearrange.generator.workers import pool_of

        count = min(workers, 4 * (os.cpu_count() or 1))
        with pool_of(None, count, partial(begin_worker, log_dir)) as pool:
            yield Pool(pool, count)
    else:
        yield None


def begin_worker(log_dir: Path | None = None) -> None:
    """In a worker process: warn on stderr, log to a folder, and end with the parent."""
    from langrearrange.generator.workers import end_with_parent

    warn_on_stderr()
    log_to(log_dir)
    end_with_parent()


def warn_on_stderr() -> None:
    """Let warnings of the library be seen on stderr, such as why an agent fails."""
    _LOGGER.addHandler(_NOTES)


def log_to(folder: Path | None) -> logging.Handler | None:
    """Append everything the library logs to `folder/log.txt`, with tracebacks; None: nowhere."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    return handler


@contextmanager
def logging_to(folder: Path | None) -> Iterator[None]:
    """Log to a folder for a while; see `log_to`."""
    handler = log_to(folder)
    try:
        yield
    finally:
        if handler is not None:
            _LOGGER.removeHandler(handler)
            handler.close()


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(self.format(record))


_NOTES: Final = _Notes(logging.WARNING)
_LOGGER: Final = logging.getLogger("langrearrange")
