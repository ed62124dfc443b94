"""What an episode costs: generate + solve + check at three sizes, and at random indices.

Prints CPU milliseconds and their ratios, measured in one run; the cost must not grow with the size
of the split. `--whole` writes all 150,000 training episodes too and prints their hash.
"""

import random
import tempfile
import time
from pathlib import Path

import msgspec
from timing import cpu_s, options

from langrearrange import generator
from langrearrange.dataset import open_dataset
from langrearrange.houses import get_house, houses_for

SIZES = (1_000, 150_000, 1_000_000)
SAMPLE = 1_000


def cost_ms(spec: generator.SplitSpec, indices: list[int]) -> tuple[float, float]:
    """Return the mean and the 99th percentile of CPU milliseconds an episode."""
    times = sorted(1e3 * cpu_s(generator.make_episode, spec, index)[0] for index in indices)
    return sum(times) / len(times), times[len(times) * 99 // 100]


def ready() -> generator.SplitSpec:
    """Read the templates and lay out the flats, so that neither is measured later."""
    train = generator.load_spec("train")
    generator.num_episodes(train)
    for house in houses_for("train"):
        get_house(house)
    return train


def main() -> None:
    """Measure and print."""
    whole = options(__doc__, whole=False).whole
    seconds, train = cpu_s(ready)
    print(f"ready (templates read, 63 flats laid out): {seconds:.2f} CPU-s")
    rng = random.Random(0)
    for size in SIZES:
        spec = msgspec.structs.replace(train, num_episodes=size)
        mean, p99 = cost_ms(spec, [rng.randrange(size) for _ in range(SAMPLE)])
        print(
            f"train of {size:>9,}: {mean:.2f} ms an episode at random (p99 {p99:.2f}), "
            f"{1e3 / mean:,.0f} episodes per CPU-second"
        )
    # A larger train has more two-object episodes, which cost more to solve; the same indices of
    # trains of any size are the same episodes.
    same = [rng.randrange(SIZES[0]) for _ in range(SAMPLE)]
    costs = [cost_ms(msgspec.structs.replace(train, num_episodes=n), same)[0] for n in SIZES]
    listed = ", ".join(f"{cost:.2f} ms" for cost in costs)
    print(f"the same {SAMPLE} episodes out of each: {listed}; largest / smallest size "
          f"{costs[-1] / costs[0]:.2f}")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for split in ["train_mini"] + ["train"] * whole:
            write_and_check(split, Path(folder, split))


def write_and_check(split: str, folder: Path) -> None:
    """Write a split, open and check it; print what each takes."""
    wall = time.perf_counter()
    own_cpu_s, manifest = cpu_s(
        lambda: generator.generate_split(generator.load_spec(split), folder, workers=None)
    )
    print(
        f"{split}: {manifest.num_episodes:,} episodes written in {time.perf_counter() - wall:.1f} "
        f"s wall (this process {own_cpu_s:.1f} CPU-s), {manifest.num_bytes / 1e6:.1f} MB, "
        f"{manifest.content_sha256}"
    )
    opened, data = cpu_s(open_dataset, folder)
    checked, report = cpu_s(generator.check_dataset, data)
    print(
        f"{split}: opened in {1e3 * opened:.1f} ms; checked in {checked:.1f} CPU-s, "
        f"{len(report.findings)} faults"
    )


if __name__ == "__main__":
    main()
