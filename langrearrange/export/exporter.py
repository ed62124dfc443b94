"""What an exporter is, and the table of those that `langrearrange export --format` knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from langrearrange.dataset import Selection
from langrearrange.errors import UsageError
from langrearrange.loading import load_object


class Written(NamedTuple):
    """What an exporter wrote."""

    paths: tuple[Path, ...]
    """files or folders, for whoever reads them next"""
    summary: str
    """one line: how much was written, and how to load it if that is not obvious"""


class Exporter(Protocol):
    """Writes episodes in one format.

    An exporter is a frozen dataclass that can be built without arguments. Its fields are the
    options of the format and its docstring is the help: `langrearrange export --format NAME` takes
    one option per field, with the field's docstring as its text.
    """

    def write(
        self, selections: Sequence[Selection], out: Path, *, overwrite: bool = False
    ) -> Written:
        """Write episodes.

        Args:
            selections: whose episodes to write, one selection per split.
            out: the file or folder to write.
            overwrite: replace what is there; otherwise raise UsageError (see `refuse_existing`).

        Raises:
            MissingExtraError: an optional library is not installed.
            UsageError: `out` exists, or there is nothing to write.
        """
        ...


class Format(NamedTuple):
    """A row of the table: the exporter's class, as `module:Class` or itself, and a summary."""

    exporter: str | type[Exporter]
    summary: str


FORMATS: Final[dict[str, Format]] = {
    "parquet": Format(
        "langrearrange.export.parquet:ParquetExporter",
        "one row per episode, for pandas and Hugging Face datasets",
    ),
    "minari": Format(
        "langrearrange.export.minari:MinariExporter",
        "optimal plans played in the env, for imitation and offline learning",
    ),
    "pddl": Format(
        "langrearrange.export.pddl:PddlExporter",
        "domain, problem and plan files, for planners",
    ),
    "habitat": Format(
        "langrearrange.export.habitat:HabitatExporter",
        "flats as a Habitat scene dataset, episodes for habitat-lab",
    ),
}
"""Format name -> exporter. To add a format, write its exporter and add one row here."""


def exporter_type(name: str) -> type[Exporter]:
    """Return the exporter of a format: a name from `FORMATS`, or `module:Class` of your own.

    Raises:
        UsageError: an unknown format, or a class that cannot be imported.
    """
    if name not in FORMATS and ":" not in name:
        raise UsageError(
            f"unknown format '{name}'; accepted: {', '.join(FORMATS)}, or module:Class"
        )
    exporter = FORMATS[name].exporter if name in FORMATS else name
    found = load_object(exporter, "exporter") if isinstance(exporter, str) else exporter
    if not callable(getattr(found, "write", None)):
        raise UsageError(f"'{name}' is not an exporter: it has no method `write`")
    return found


def count_episodes(selections: Sequence[Selection]) -> int:
    """Return how many episodes are to be written; UsageError if there are none."""
    total = sum(map(len, selections))
    if not total:
        raise UsageError("there is nothing to write; name a split or a data set folder")
    return total
