"""What several verbs share: opening episode sources, checking outputs, printing tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from langrearrange.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.table import Table

    from langrearrange.dataset import EpisodeSource, Selection


def open_source(name: str) -> EpisodeSource:
    """Open a split by name or a data set folder by path.

    Raises:
        DatasetError: the folder is damaged.
        UsageError: no folder and no split is called so.
    """
    from langrearrange.dataset import open_dataset
    from langrearrange.generator import open_split
    from langrearrange.world.vocabulary import SPLITS

    if name in SPLITS:
        return open_split(name)
    if Path(name).exists():
        return open_dataset(name)
    raise UsageError(
        f"'{name}' is neither a split nor a data set folder; splits: {', '.join(SPLITS)}"
    )


def find_episode(episode_id: str, folder: str = "") -> Selection:
    """Return one episode by its id, from its published split or the data set in `folder`.

    Raises:
        UsageError: no such episode.
    """
    from langrearrange.dataset import Selection, parse_episode_id
    from langrearrange.errors import DatasetError, EpisodeError

    try:
        parsed = parse_episode_id(episode_id)
        source = open_source(folder or parsed.split)
        return Selection(source, [source.index_of(episode_id)], parsed.variant)
    except (EpisodeError, DatasetError) as error:
        raise UsageError(str(error)) from None


def sources_of(folders: Sequence[str]) -> Callable[[str], EpisodeSource]:
    """Return how to find a split: in one of the folders if it is theirs, else the published one."""
    own = {source.split: source for source in map(open_source, folders)}

    def find(split: str) -> EpisodeSource:
        return own[split] if split in own else open_source(split)

    return find


def flat_ids(names: Sequence[str]) -> tuple[str, ...]:
    """Return the flats that are meant: ids, or `train`, `validation`, `test`, `all`; each once.

    Raises:
        UsageError: a name that is none of these.
    """
    from langrearrange.errors import HouseError
    from langrearrange.houses import HOUSE_IDS, get_house, houses_for

    chosen: dict[str, None] = {}
    for name in names:
        try:
            if name == "all":
                ids = HOUSE_IDS
            elif name.startswith("flat"):
                ids = (get_house(name).id,)
            else:
                ids = houses_for(name)
        except HouseError:
            raise UsageError(
                f"'{name}' names no flats; accepted: all, train, validation, test, or ids from "
                f"{HOUSE_IDS[0]} to {HOUSE_IDS[-1]}"
            ) from None
        chosen.update(dict.fromkeys(ids))
    return tuple(chosen)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise UsageError when `path` exists and may not be replaced."""
    if path.exists() and not force:
        raise UsageError(f"{path} exists; choose another --out or add --force to replace it")


def check_count(num_episodes: int | None) -> None:
    """Raise UsageError unless `--num-episodes` is left out or at least 1."""
    if num_episodes is not None and num_episodes < 1:
        raise UsageError(f"--num-episodes {num_episodes}; accepted: 1 or more, or leave it out")


def make_table(title: str, columns: Sequence[str], left: int = 1) -> Table:
    """Return an empty table: `left` columns of text, then right-aligned numbers."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=index == 0)
    return table


def print_table(table: Table) -> None:
    """Print a table on stdout; wide enough not to fold when it is piped."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 140
    Console(file=sys.stdout, width=width).print(table)


def note(text: str) -> None:
    """Say something on stderr: stdout is for results."""
    print(text, file=sys.stderr)


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """Yield an executor over the workers of a Dask scheduler (extra `scale`)."""
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("--dask", "scale", "distributed") from None
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        yield client.get_executor()
