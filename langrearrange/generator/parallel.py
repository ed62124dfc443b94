"""Writing a whole split with many workers: chunks that survive a kill, then one data set.

The result depends on the spec alone: not on workers, chunks or the order in which they finish. Not
for what an episode is (`generator.make`).
"""

from __future__ import annotations

import shutil
import zlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from langrearrange.dataset import DatasetWriter, Manifest, Provenance, encode_episode
from langrearrange.dataset.codec import MEMBER_EPISODES
from langrearrange.dataset.manifest import replace_file
from langrearrange.dataset.writer import (
    EpisodeCounts,
    Summary,
    disk_errors,
    encode_members,
    refuse_existing,
)
from langrearrange.errors import DatasetError
from langrearrange.generator.blueprint import Blueprint, blueprint_of, refresh
from langrearrange.generator.make import make_episode
from langrearrange.generator.provenance import commitment, provenance_of
from langrearrange.generator.spec import SplitSpec
from langrearrange.generator.workers import map_ranges, ranges
from langrearrange.log import get_logger
from langrearrange.progress import progress
from langrearrange.seeding import digest

logger = get_logger(__name__)

CHUNK: Final = 16 * MEMBER_EPISODES
"""Episodes a worker makes at a time: a whole number of gzip members, less than a second."""
_UNFINISHED: Final = "unfinished-"


def generate_split(
    spec: SplitSpec,
    out: str | Path,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    overwrite: bool = False,
) -> Manifest:
    """Write all episodes of a spec as a data set.

    After an interruption, the same call resumes and produces the same content.

    Args:
        spec: what to write (`load_spec`).
        out: folder; created if needed. Holds unfinished work until the end.
        workers: processes to start; None for one per available core (none for a short job), 1 for
            none besides this one.
        executor: use this one instead (Dask, MPI, threads); it is not shut down. Its workers need
            no common file system: what they make comes back as bytes.
        overwrite: replace a finished data set.

    Returns:
        The manifest, written last.

    Raises:
        UsageError: the folder holds a finished data set.
        DatasetError: the disk is full or not writable; what is complete stays.
        GenerationError: a worker was lost, or an episode cannot be drawn.
    """
    folder = Path(out)
    refuse_existing(folder, overwrite=overwrite)
    refresh(spec)
    blueprint = blueprint_of(spec)
    provenance = provenance_of(blueprint)
    work = folder / f"{_UNFINISHED}{_fingerprint(spec, provenance)}"
    with disk_errors(folder):
        work.mkdir(parents=True, exist_ok=True)
    total = blueprint.order.num_episodes
    chunks = ranges(total, CHUNK)
    missing = [chunk for chunk in chunks if not _chunk_path(work, chunk[0]).exists()]
    with progress(f"generate {spec.name}", total) as advance:
        if len(missing) < len(chunks):
            done = total - sum(stop - start for start, stop in missing)
            advance(done, f"{done} were complete already")
        try:
            task = partial(make_chunk, spec)
            for start, members in map_ranges(task, missing, workers, advance, executor):
                with disk_errors(folder):
                    replace_file(_chunk_path(work, start), members)
        except BaseException:
            for empty in (work, folder):  # nothing to go on with: leave no trace
                with suppress(OSError):
                    empty.rmdir()
            raise
    paths = [_chunk_path(work, start) for start, _ in chunks]
    manifest = _assemble(folder, blueprint, provenance, paths)
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    return manifest


def make_chunk(spec: SplitSpec, start: int, stop: int) -> bytes:
    """Return the gzip members of the episodes at positions start .. stop - 1 (a worker's task)."""
    order = blueprint_of(spec).order
    return encode_members(
        [
            encode_episode(make_episode(spec, order.index_at(position)))
            for position in range(start, stop)
        ]
    )


def _chunk_path(work: Path, start: int) -> Path:
    return work / f"{start:07d}.gz"


def _assemble(
    folder: Path, blueprint: Blueprint, provenance: Provenance, chunks: Sequence[Path]
) -> Manifest:
    """Write the chunks one behind the other, and the manifest."""
    spec, counter, summary = blueprint.spec, EpisodeCounts(), msgspec.json.Decoder(Summary)
    with DatasetWriter(folder, spec.name, blueprint.order, overwrite=True) as writer:
        for path in chunks:
            try:
                lines = writer.add(path.read_bytes())
            except zlib.error as error:
                path.unlink()
                raise DatasetError(
                    f"{path}: this unfinished chunk is damaged ({error}) and was removed; run the "
                    "same command again to regenerate it"
                ) from None
            for line in lines:
                counter.add(summary.decode(line))
        return writer.finish(
            id_split=spec.split,
            provenance=provenance,
            commitment=commitment(spec, provenance),
            counts=counter.counts() | case_counts(blueprint),
        )


def case_counts(blueprint: Blueprint) -> dict[str, dict[str, int]]:
    """Return how often each start case occurs (one or two objects, open or closed)."""
    counts: Counter[str] = Counter()
    for number, template in enumerate(blueprint.file.templates):
        if len(template.cases) > 1:
            for rank in range(blueprint.order.counts[number]):
                case = template.cases[blueprint.case(number, rank)]
                counts[f"{template.id}/{case.name}"] += 1
    return {"case": dict(sorted(counts.items()))} if counts else {}


def _fingerprint(spec: SplitSpec, provenance: Provenance) -> str:
    """Return what unfinished chunks depend on, so that a changed spec never meets old chunks."""
    from langrearrange import __version__

    fields = (msgspec.json.encode(value).decode() for value in (spec, provenance))
    return digest(__version__, *fields).hex()[:16]
