"""What several verbs share: opening episode sources, checking outputs, printing tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from langrearrange.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from langrearrange.dataset import EpisodeSource


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


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise UsageError when `path` exists and may not be replaced."""
    if path.exists() and not force:
        raise UsageError(f"{path} exists; choose another --out or add --force to replace it")


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
