"""A set as one parquet file that Hugging Face `datasets`, pandas and others load. Not for reading.

The file's bytes carry the writer's version, so the hash that counts stays that of the content.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from langrearrange.dataset.source import EpisodeSource
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.progress import progress

ROWS: Final = 5_000
"""Episodes in one row group."""


def export_parquet(source: EpisodeSource, path: str | Path, *, overwrite: bool = False) -> int:
    """Write every episode of a source as one row.

    Columns are the fields of `Episode`; `objects` is a list of structs, `open`, `plan` and
    `subgoals` are lists of strings, `start` is a struct, numbers are int32.

    Args:
        source: any source of episodes.
        path: the file, usually `<split>.parquet`.
        overwrite: replace an existing file.

    Returns:
        How many rows were written.

    Raises:
        MissingExtraError: pyarrow is not installed.
        UsageError: the file exists and `overwrite` is False.
    """
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingExtraError("the parquet export", "export", "pyarrow") from None
    path = Path(path)
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; choose another name or replace it with --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = _schema(arrow)
    temporary = path.with_name(path.name + ".tmp")
    positions = iter(range(len(source)))
    with (
        progress(f"export {source.split}", len(source)) as advance,
        parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        while chunk := list(islice(positions, ROWS)):
            rows = [msgspec.to_builtins(source.get(position)) for position in chunk]
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            advance(len(chunk), "")
    temporary.replace(path)
    return len(source)


def _schema(arrow: Any) -> Any:
    text, number = arrow.string(), arrow.int32()
    thing = arrow.struct(
        [
            ("id", text), ("category", text), ("model", text), ("receptacle", text),
            ("slot", number), ("yaw", number),
        ]
    )  # fmt: skip
    return arrow.schema(
        [
            ("schema_version", number), ("id", text), ("split", text), ("template", text),
            ("phrasing", number), ("cluster", text), ("instruction", text), ("goal", text),
            ("house", text), ("objects", arrow.list_(thing)), ("open", arrow.list_(text)),
            ("start", arrow.struct([("x", number), ("y", number), ("yaw", number)])),
            ("plan", arrow.list_(text)), ("subgoals", arrow.list_(text)),
        ]
    )  # fmt: skip
