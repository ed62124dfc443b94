"""Episodes as one parquet file that Hugging Face `datasets`, pandas and others load.

The file's bytes carry the writer's version, so the hash that counts stays that of the content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import msgspec

from langrearrange.dataset import Episode, Selection
from langrearrange.errors import MissingExtraError
from langrearrange.export.exporter import Written, count_episodes
from langrearrange.paths import refuse_existing
from langrearrange.progress import progress

ROWS: Final = 5_000
"""Episodes in one row group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetExporter:
    """One row per episode, for pandas and Hugging Face datasets (extra [export]).

    Columns are the fields of an episode; `objects` is a list of structs, `open`, `plan` and
    `subgoals` are lists of strings, `start` is a struct, numbers are int32.

      langrearrange export validation --out out/validation.parquet
      datasets.load_dataset("parquet", data_files="out/validation.parquet")
    """

    def write(
        self, selections: Sequence[Selection], out: Path, *, overwrite: bool = False
    ) -> Written:
        """Write all selections into the one file `out`, in order; see `Exporter.write`."""
        try:
            import pyarrow as arrow
            import pyarrow.parquet as parquet
        except ImportError:
            raise MissingExtraError("the parquet export", "export", "pyarrow") from None
        total = count_episodes(selections)
        refuse_existing(out, overwrite=overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        schema = _schema(arrow)
        temporary = out.with_name(out.name + ".tmp")
        episodes = chain.from_iterable(selections)
        with (
            progress("export to parquet", total) as advance,
            parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
        ):
            while rows := [msgspec.to_builtins(episode) for episode in islice(episodes, ROWS)]:
                writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
                advance(len(rows), "")
        temporary.replace(out)
        return Written((out,), f"{total} episodes, one row each")


def _schema(arrow: Any) -> Any:
    text, number = arrow.string(), arrow.int32()
    columns = [(name, text) for name in ("id", "category", "model", "receptacle")]
    thing = arrow.struct([*columns, ("slot", number), ("yaw", number)])
    start = arrow.struct([(name, number) for name in ("x", "y", "yaw")])
    types = {"schema_version": number, "phrasing": number, "start": start}
    types |= {name: arrow.list_(text) for name in ("open", "plan", "subgoals")}
    types["objects"] = arrow.list_(thing)
    return arrow.schema([(name, types.get(name, text)) for name in Episode.__struct_fields__])
