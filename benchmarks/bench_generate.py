"""What an episode costs: generate + solve + check at three sizes, and at random indices.

Prints CPU milliseconds and their ratios, measured in one run; the cost must not grow with the size
of the split. `--whole` writes all 150,000 training episodes too and prints their hash.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import msgspec

from langrearrange.dataset import open_dataset
from langrearrange.generator import (
    check_dataset,
    generate_split,
    load_spec,
    make_episode,
    num_episodes,
)
from langrearrange.houses import get_house, houses_for

SIZES = (1_000, 150_000, 1_000_000)
SAMPLE = 1_000


def cost_ms(spec: object, indices: list[int]) -> tuple[float, float]:
    """Mean and 99th percentile of CPU milliseconds an episode."""
    times = []
    for index in indices:
        started = time.process_time()
        make_episode(spec, index)  # type: ignore[arg-type]
        times.append(1e3 * (time.process_time() - started))
    times.sort()
    return sum(times) / len(times), times[len(times) * 99 // 100]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="also write all of train")
    args = parser.parse_args()

    started = time.process_time()
    train = load_spec("train")
    num_episodes(train)
    for house in houses_for("train"):
        get_house(house)
    print(f"ready (templates read, 63 flats laid out): {time.process_time() - started:.2f} CPU-s")

    rng = random.Random(0)
    costs = {}
    for size in SIZES:
        spec = msgspec.structs.replace(train, num_episodes=size)
        mean, p99 = cost_ms(spec, [rng.randrange(size) for _ in range(SAMPLE)])
        costs[size] = mean
        print(
            f"train of {size:>9,}: {mean:.2f} ms an episode at random (p99 {p99:.2f}), "
            f"{1e3 / mean:,.0f} episodes per CPU-second"
        )
    # A larger train has more two-object episodes, which cost more to solve; the same indices of
    # trains of any size are the same episodes.
    same = [rng.randrange(SIZES[0]) for _ in range(SAMPLE)]
    flat = [cost_ms(msgspec.structs.replace(train, num_episodes=size), same)[0] for size in SIZES]
    print(
        f"the same {SAMPLE} episodes out of each: "
        + ", ".join(f"{c:.2f} ms" for c in flat)
        + f"; largest / smallest size {flat[-1] / flat[0]:.2f}"
    )

    with tempfile.TemporaryDirectory() as folder:
        write_and_check("train_mini", Path(folder))
        if args.whole:
            write_and_check("train", Path(folder))


def write_and_check(split: str, folder: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    manifest = generate_split(load_spec(split), folder / split, workers=None)
    wall_s, own_cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{split}: {manifest.num_episodes:,} episodes written in {wall_s:.1f} s wall (this process "
        f"{own_cpu_s:.1f} CPU-s), {manifest.num_bytes / 1e6:.1f} MB, {manifest.content_sha256}"
    )
    started = time.perf_counter()
    data = open_dataset(folder / split)
    opened = time.perf_counter() - started
    started = time.process_time()
    report = check_dataset(data)
    print(
        f"{split}: opened in {1e3 * opened:.1f} ms; checked in {time.process_time() - started:.1f} "
        f"CPU-s, {len(report.findings)} faults"
    )


if __name__ == "__main__":
    main()
