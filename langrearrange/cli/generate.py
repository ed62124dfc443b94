"""`langrearrange generate`: write episodes from templates, solved and checked, as a folder."""

from dataclasses import dataclass
from pathlib import Path

from langrearrange.cli.common import Dask, Force, Key, Workers, executor_of, note, secret_key
from langrearrange.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write the episodes of a split, or of a spec file of your own, as a data set folder.

    Each episode is a pure function of (spec, index): the content hash does not depend on the number
    of workers. After an interruption, the same command resumes.

    docs/datasets.md has the fields of a spec file. With --key the episodes are others, which nobody
    can make without it; agents are ranked on rounds of such sets (`langrearrange round`).
    """

    out: Path
    """folder to write; its manifest.json appears last, so its presence means complete"""
    split: str | None = None
    """name of a published split"""
    spec: Path | None = None
    """YAML file with a spec of your own instead (name, templates, houses, num_episodes, ...)"""
    num_episodes: int | None = None
    """None: all that the split holds; fewer gives a balanced prefix"""
    key: Key = ""
    workers: Workers = None
    dask: Dask = None
    force: Force = False


def run(args: Args) -> int:
    """Generate; the manifest's content hash goes to stdout."""
    from langrearrange.generator import generate_split, load_spec

    if (args.split is None) == (args.spec is None):
        raise UsageError("give either --split NAME or --spec FILE")
    key = secret_key(args.key)
    spec = load_spec(args.split or args.spec or "", key=key, num_episodes=args.num_episodes)
    with executor_of(1, args.dask) as pool:
        executor = pool.executor if pool else None
        manifest = generate_split(
            spec, args.out, workers=args.workers, executor=executor, overwrite=args.force
        )
    note(f"{manifest.num_episodes} episodes of '{manifest.split}' in {args.out}")
    if manifest.commitment:
        note(f"commitment (publish it now, the key later): {manifest.commitment}")
    print(manifest.content_sha256)
    return 0
