"""Writing everything that is shipped: the small splits, and of train the manifest alone.

Not for a single set (`generator.parallel`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langrearrange.dataset import Manifest
from langrearrange.dataset.manifest import MANIFEST, write_manifest
from langrearrange.dataset.writer import disk_errors, refuse_existing
from langrearrange.generator.parallel import generate_split
from langrearrange.generator.spec import load_spec
from langrearrange.world.vocabulary import SPLITS

MANIFEST_ONLY = ("train",)
"""Splits too large to ship: anybody computes them, the manifest has the hash to compare."""


def publish(
    out: str | Path,
    elsewhere: str | Path,
    splits: Sequence[str] = SPLITS,
    *,
    workers: int | None = None,
    overwrite: bool = False,
) -> dict[str, Manifest]:
    """Write the published splits as `datasets/` ships them.

    Args:
        out: the folder that gets one folder a split.
        elsewhere: where the data of splits goes of which only the manifest is shipped (46 MB).
        splits: which.
        workers: processes, as in `generate_split`.
        overwrite: replace what lies there.

    Returns:
        Split -> manifest.

    Raises:
        UsageError: a finished set lies there and `overwrite` is False.
        DatasetError, GenerationError: as `generate_split`.
    """
    written = {}
    for name in splits:
        whole = name not in MANIFEST_ONLY
        folder = Path(out if whole else elsewhere) / name
        refuse_existing(Path(out) / name, overwrite=overwrite)
        written[name] = generate_split(
            load_spec(name), folder, workers=workers, overwrite=overwrite
        )
        if not whole:
            with disk_errors(Path(out)):
                (Path(out) / name).mkdir(parents=True, exist_ok=True)
                (Path(out) / name / MANIFEST).unlink(missing_ok=True)
                write_manifest(Path(out) / name, written[name])
    return written
