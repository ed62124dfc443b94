"""Steps per core-second of the env, import, make and reset; CPU time of one run, with ratios.

    python benchmarks/bench_env.py [--quick]      (a tenth of the steps)

Flats are made when first visited (reported apart) and kept; everything else is measured with all
training flats made. Figures include the resets that the steps need, with fresh variants of
train_mini (each is generated and proved when it is drawn, so that no episode is seen twice), unless
the row says otherwise. The agent is random: episodes take about 32 steps.
"""

import subprocess
import sys
import time
from typing import Any

import gymnasium as gym
import numpy as np
from timing import cpu_s, options

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.houses import Pose2D, get_house, houses_for
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.world import NUM_SKILLS

ID = "LangRearrange-v0"
CORNER = Pose2D(0, 0, 0)
STATE_TARGET, TEXT_TARGET, RGB_TARGET = 30_000, 60_000, 1_400


def child_cpu_s(code: str) -> float:
    """Return the CPU seconds that Python takes for some code in a fresh process (best of 3)."""
    command = [sys.executable, "-c", f"import time\n{code}\nprint(time.process_time())"]
    runs = (subprocess.run(command, capture_output=True, check=True) for _ in range(3))
    return min(float(run.stdout) for run in runs)


def single_steps(count: int, env_id: str = ID, **kwargs: Any) -> tuple[float, float]:
    """Return steps per core-second through `gym.make`, with and without the time of resets."""
    env = gym.make(env_id, **kwargs)
    num_actions = getattr(env.action_space, "n", NUM_SKILLS)
    actions = np.random.default_rng(0).integers(0, num_actions, count)
    env.reset(seed=0)
    in_reset = 0.0
    begin = time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            in_reset += cpu_s(env.reset)[0]
    total = time.process_time() - begin
    env.close()
    return count / total, count / (total - in_reset)


def vector_steps(count: int, num_envs: int, **kwargs: Any) -> tuple[float, float]:
    """Return steps per core-second of the native vector env: of all calls, of those without resets.

    A call in which an env is only being reset (NextStep mode) counts no step for that env.
    """
    env = gym.make_vec(ID, num_envs=num_envs, **kwargs)
    actions = np.random.default_rng(0).integers(0, NUM_SKILLS, (count // num_envs, num_envs))
    env.reset(seed=0)
    taken = [0, 0]
    spent = [0.0, 0.0]
    resetting = 0
    for row in actions:
        seconds, (_, _, terminated, truncated, _) = cpu_s(env.step, row)
        spent[resetting > 0] += seconds
        taken[resetting > 0] += num_envs - resetting
        resetting = int((terminated | truncated).sum())
    env.close()
    return sum(taken) / sum(spent), taken[0] / spent[0]


def reset_ms(count: int, observation: str) -> float:
    """Return the mean CPU milliseconds of a reset to an episode never seen before."""
    env = gym.make(ID, observation=observation)
    env.reset(seed=1)
    return 1000 * cpu_s(lambda: [env.reset() and None for _ in range(count)])[0] / count


def show(name: str, value: float, unit: str, most: float = 0, least: float = 0) -> None:
    """Print a figure, and beside a target their ratio (above 1 is better than asked for)."""
    target = ""
    if most or least:
        ratio = value / least if least else most / max(value, 1e-3)
        target = f"{'>=' if least else '<='} {least or most:<8g} {ratio:7.2f}x"
    print(f"{name:44} {value:12.4g} {unit:14} {target}")


def main() -> None:
    """Measure everything and print a table."""
    scale = 10 if options(__doc__, quick=False).quick else 1
    print(f"{'figure':44} {'measured':>12} {'':14} {'target':11} {'ratio':>7}")
    ours = child_cpu_s("import gymnasium, langrearrange")
    begin = f"import gymnasium as gym, langrearrange\ngym.make({ID!r}).reset(seed=0)"
    show("import langrearrange over gymnasium", ours - child_cpu_s("import gymnasium"), "s", 0.5)
    show("make + first reset, rgb", child_cpu_s(begin) - ours, "s", 1.5)
    flats = houses_for("train")
    for what, visit in (
        ("geometry", get_house),
        ("meshes, rgb only", lambda flat: EmbeddedSimulator().load(get_house(flat), (), CORNER)),
    ):
        seconds, _ = cpu_s(lambda visit=visit: list(map(visit, flats)))
        show(f"first visit to a flat: {what}", 1000 * seconds / len(flats), "ms")
    for observation in ("state", "rgb"):
        show(f"reset, {observation}", reset_ms(1_000 // scale, observation), "ms", 3.0)
    count = 100_000 // scale
    frames, state = 12_800 // scale, {"observation": "state"}
    for name, rates, target in (
        ("state, gym.make", single_steps(count, **state), STATE_TARGET),
        ("state, gym.make, variants=0", single_steps(count, **state, variants=0), STATE_TARGET),
        ("state, make_vec(16)", vector_steps(count, 16, **state), STATE_TARGET),
        ("text, gym.make", single_steps(count // 10, observation="text"), 0),
        ("rgb 256x256, gym.make", single_steps(frames // 2), RGB_TARGET),
        ("rgb 256x256, make_vec(16)", vector_steps(frames, 16), RGB_TARGET),
        ("rgb 256x256, make_vec(16), copy=False", vector_steps(frames, 16, copy=False), RGB_TARGET),
    ):
        show(f"{name} with resets", rates[0], "steps/core-s", least=target)
        if not name.startswith("rgb"):
            alone = TEXT_TARGET if name.startswith("text") else target
            show(f"{name}, steps alone", rates[1], "steps/core-s", least=alone)
    toy = single_steps(50_000, "CartPole-v1")[0]
    show("CartPole-v1 through the same wrappers", toy, "steps/core-s")


if __name__ == "__main__":
    main()
