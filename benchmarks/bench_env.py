"""Steps per core-second of the env, import, make and reset; CPU time of one run, with ratios.

    python benchmarks/bench_env.py [--quick]

CPU time, because machines are shared. Flats are made when first visited (reported apart) and kept;
everything else is measured with all training flats made. Figures include the resets that the steps
need, with fresh variants of train_mini (each is generated and proved when it is drawn, so that no
episode is seen twice), unless the row says otherwise. The agent is random: episodes take about 32
steps.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import Any

import gymnasium as gym
import numpy as np

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.houses import Pose2D, get_house, houses_for
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.world import NUM_SKILLS

CORNER = Pose2D(0, 0, 0)
STATE_TARGET, RGB_TARGET = 30_000, 1_400


def child_cpu_s(code: str) -> float:
    """Return the CPU seconds that Python takes for some code in a fresh process (best of 3)."""
    script = f"import time\n{code}\nprint(time.process_time())"
    return min(
        float(
            subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        )
        for _ in range(3)
    )


def single_steps(count: int, **kwargs: Any) -> tuple[float, float]:
    """Return steps per core-second through `gym.make`, with and without the time of resets."""
    env = gym.make("LangRearrange-v0", **kwargs)
    actions = np.random.default_rng(0).integers(0, NUM_SKILLS, count)
    env.reset(seed=0)
    in_reset = 0.0
    begin = time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            before = time.process_time()
            env.reset()
            in_reset += time.process_time() - before
    total = time.process_time() - begin
    env.close()
    return count / total, count / (total - in_reset)


def vector_steps(count: int, num_envs: int, **kwargs: Any) -> tuple[float, float]:
    """Return steps per core-second of the native vector env: of all calls, of those without resets.

    A call in which an env is only being reset (NextStep mode) counts no step for that env.
    """
    env = gym.make_vec("LangRearrange-v0", num_envs=num_envs, **kwargs)
    actions = np.random.default_rng(0).integers(0, NUM_SKILLS, (count // num_envs, num_envs))
    env.reset(seed=0)
    taken = [0, 0]
    spent = [0.0, 0.0]
    resetting = 0
    for row in actions:
        before = time.process_time()
        _, _, terminated, truncated, _ = env.step(row)
        spent[resetting > 0] += time.process_time() - before
        taken[resetting > 0] += num_envs - resetting
        resetting = int((terminated | truncated).sum())
    env.close()
    return sum(taken) / sum(spent), taken[0] / spent[0]


def first_visits_ms() -> tuple[float, float]:
    """Return the mean CPU ms to make a training flat: its geometry, then its meshes to draw."""
    flats = houses_for("train")
    times = []
    for visit in (get_house, lambda flat: EmbeddedSimulator().load(get_house(flat), (), CORNER)):
        begin = time.process_time()
        for flat in flats:
            visit(flat)
        times.append(1000 * (time.process_time() - begin) / len(flats))
    return times[0], times[1]


def toy_steps(count: int) -> float:
    """Return steps per core-second of Gymnasium's CartPole: what the wrappers alone allow."""
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    begin = time.process_time()
    for _ in range(count):
        if any(env.step(0)[2:4]):
            env.reset()
    return count / (time.process_time() - begin)


def reset_ms(count: int, **kwargs: Any) -> float:
    """Return the mean CPU milliseconds of a reset to an episode never seen before."""
    env = gym.make("LangRearrange-v0", **kwargs)
    env.reset(seed=1)
    begin = time.process_time()
    for _ in range(count):
        env.reset()
    return 1000 * (time.process_time() - begin) / count


def row(name: str, value: float, unit: str, target: float, *, at_least: bool) -> None:
    """Print one figure, its target and their ratio (above 1 is better than asked for)."""
    ratio = value / target if at_least else target / max(value, 1e-3)
    sign = ">=" if at_least else "<="
    print(f"{name:44} {value:12.4g} {unit:14} {sign} {target:<8g} {ratio:7.2f}x")


def plain(name: str, value: float, unit: str) -> None:
    """Print a figure for which no target was set."""
    print(f"{name:44} {value:12.4g} {unit}")


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps")
    scale = 10 if parser.parse_args().quick else 1
    print(f"{'figure':44} {'measured':>12} {'':14} {'target':11} {'ratio':>7}")
    start_up()
    flat, meshes = first_visits_ms()
    plain("first visit to a flat: geometry", flat, "ms")
    plain("first visit to a flat: meshes, rgb only", meshes, "ms")
    for observation in ("state", "rgb"):
        value = reset_ms(1_000 // scale, observation=observation)
        row(f"reset, {observation}", value, "ms", 3.0, at_least=False)
    count = 100_000 // scale
    for name, rates in (
        ("state, gym.make", single_steps(count, observation="state")),
        ("state, gym.make, variants=0", single_steps(count, observation="state", variants=0)),
        ("state, make_vec(16)", vector_steps(count, 16, observation="state")),
        ("text, gym.make", single_steps(count // 10, observation="text")),
    ):
        for what, value in zip((" with resets", ", steps alone"), rates, strict=True):
            if name.startswith("state"):
                row(name + what, value, "steps/core-s", STATE_TARGET, at_least=True)
            else:
                plain(name + what, value, "steps/core-s")
    for name, rates in (
        ("rgb 256x256, gym.make", single_steps(6_400 // scale)),
        ("rgb 256x256, make_vec(16)", vector_steps(12_800 // scale, 16)),
        ("rgb 256x256, make_vec(16), copy=False", vector_steps(12_800 // scale, 16, copy=False)),
    ):
        row(f"{name} with resets", rates[0], "steps/core-s", RGB_TARGET, at_least=True)
    plain("CartPole-v1 through the same wrappers", toy_steps(50_000), "steps/core-s")


def start_up() -> None:
    """Print what it takes to begin."""
    base = child_cpu_s("import gymnasium")
    ours = child_cpu_s("import gymnasium, langrearrange")
    row("import langrearrange over gymnasium", ours - base, "s", 0.5, at_least=False)
    make = "import gymnasium as gym, langrearrange\ngym.make('LangRearrange-v0').reset(seed=0)"
    row("make + first reset, rgb", child_cpu_s(make) - ours, "s", 1.5, at_least=False)


if __name__ == "__main__":
    main()
