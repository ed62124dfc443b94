"""Mutation testing: do the tests of a room notice when a line of it is changed?

Samples mutations of six rooms, makes each in a copy of the checkout and runs the room's tests until
one fails: first those that reach the changed line, then all others. Results are kept under
build/mutants/ by the content of the checkout, so that `make mutants SEED=1 NUM=240` resumes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from checkout import ROOMS, ROOT, Checkout, checkout_files
from operators import Mutation, mutations
from report import print_report

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

MIN_PER_ROOM: Final = 20
Sample = list[tuple[str, Mutation]]
"""(room, mutation) pairs."""


def sample(seed: int, num: int) -> Sample:
    """Draw (room, mutation) pairs: places of a room, then one mutation of each place."""
    rng = random.Random(f"mutants {seed}")
    places = {}
    for room in ROOMS:
        paths = sorted((ROOT / "langrearrange" / room).rglob("*.py"))
        found = [mutations(str(path.relative_to(ROOT)), path.read_text()) for path in paths]
        places[room] = [place for file in found for place in file]
    total = sum(map(len, places.values()))
    drawn = []
    for room, choices in places.items():
        quota = max(MIN_PER_ROOM, round(num * len(choices) / total))
        drawn += [(room, rng.choice(place)) for place in rng.sample(choices, quota)]
    rng.shuffle(drawn)
    return drawn


_checkout: Checkout | None = None
"""A worker's own."""


def _begin(build: Path, numbers: Queue[int]) -> None:
    global _checkout
    _checkout = Checkout(build / f"tree-{numbers.get()}")


def _measure(folder: str) -> None:
    assert _checkout is not None
    _checkout.measure(folder)


def _judge(room: str, mutation: Mutation) -> dict[str, Any]:
    assert _checkout is not None
    return _checkout.judge(room, mutation)


def judge_all(build: Path, drawn: Sample, num_workers: int) -> Iterator[dict[str, Any]]:
    """Yield the record of every mutation, in the order in which they end."""
    context = get_context("spawn")
    numbers = context.Queue()
    for number in range(num_workers):
        numbers.put(number)
    with ProcessPoolExecutor(num_workers, context, _begin, (build, numbers)) as pool:
        folders = sorted({folder for room, _ in drawn for folder in ROOMS[room]})
        list(pool.map(_measure, folders))
        pending = [pool.submit(_judge, room, mutation) for room, mutation in drawn]
        try:
            yield from (future.result() for future in as_completed(pending))
        finally:
            pool.shutdown(cancel_futures=True)


def main() -> int:
    """Judge a sample and print the report; 1 if too many mutations survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--num", type=int, default=240)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=ROOMS)
    args = parser.parse_args()
    content = b"".join(
        f"{path}\0".encode() + (ROOT / path).read_bytes() for path in checkout_files()
    )
    build = ROOT / "build" / "mutants" / hashlib.sha256(content).hexdigest()[:16]
    build.mkdir(parents=True, exist_ok=True)
    store = build / "results.jsonl"
    lines = (
        store.read_text().split("\n")[:-1] if store.exists() else []
    )  # the last may be truncated
    store.write_text("".join(f"{line}\n" for line in lines))
    known = {record["key"]: record for record in map(json.loads, lines)}
    drawn = [pair for pair in sample(args.seed, args.num) if pair[0] in args.rooms]
    todo = [(room, mutation) for room, mutation in drawn if mutation.key not in known]
    print(f"seed {args.seed}: {len(drawn)} mutations, {len(todo)} to judge; {build}", flush=True)
    started = time.monotonic()
    with store.open("a") as file:
        for count, record in enumerate(judge_all(build, todo, args.workers) if todo else (), 1):
            known[record["key"]] = record
            print(json.dumps(record), file=file, flush=True)
            rate = count / (time.monotonic() - started)
            note = f"survived: {record['key']}" if record["outcome"] == "survived" else ""
            if count % 10 == 0 or note:
                left = (len(todo) - count) / rate / 60
                progress = f"{count}/{len(todo)}, {rate * 60:.1f} a minute, {left:.0f} minutes left"
                print(progress, note, file=sys.stderr, flush=True)
    return print_report([known[mutation.key] for _, mutation in drawn])


if __name__ == "__main__":
    sys.exit(main())
