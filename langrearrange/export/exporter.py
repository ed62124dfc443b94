"""What an exporter is, and the table of those that `langrearrange export --format` knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from langrearrange.dataset import Selection
from langrearrange.errors import UsageError, did_you_mean
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
    one option per field, with the field's docstring as its text. The docstring's first line sums
    up the format. Importing it is quick: what is slow to import is imported when it writes.
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


FORMATS: Final[dict[str, str | type[Exporter]]] = {
    "parquet": "langrearrange.export.parquet:ParquetExporter",
    "minari": "langrearrange.export.minari:MinariExporter",
    "pddl": "langrearrange.export.pddl:PddlExporter",
    "chat": "langrearrange.export.chat:ChatExporter",
    "habitat": "langrearrange.export.habitat:HabitatExporter",
    "huggingface": "langrearrange.export.huggingface:HuggingFaceExporter",
}
"""Name -> exporter, or `module:Class`. The one place to register one: `FORMATS["csv"] = MyCsv`."""


def exporter_type(name: str) -> type[Exporter]:
    """Return the exporter of a format: a name from `FORMATS`, or `module:Class` of your own.

    Raises:
        UsageError: an unknown format, or a class that cannot be imported.
    """
    if name not in FORMATS and ":" not in name:
        raise UsageError(
            f"unknown format '{name}'; accepted: {', '.join(FORMATS)}, or module:Class"
            + did_you_mean(name, FORMATS)
        )
    exporter = FORMATS.get(name, name)
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
