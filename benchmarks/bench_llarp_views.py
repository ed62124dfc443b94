"""Pictures a core-second through segcnn: every picture encoded, against each view once.

CPU time of one run, the two in turn over the same steps. Views are those of random skills and, with
`--checkpoint`, of a trained policy; then each precision and memory layout on pictures that are new.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from langrearrange_baselines.engine.agent import PolicyAgent
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.engine.encoder import ObservationEncoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.engine.speed import LAYOUTS, PRECISIONS
from langrearrange_baselines.vision import load_encoder
from timing import best_s, options

NUM_ENVS = 32


def played(agent: Any, num_steps: int) -> None:
    """Print the cost of `num_steps` steps of 32 envs; without an agent skills are random."""
    vision = load_encoder("segcnn")
    ways = {
        "each picture": ObservationEncoder(vision, proprioception=False),
        "each view once": ObservationEncoder(vision, proprioception=False, reuse=True),
    }
    envs = make_envs(preset("tiny", out=Path("unused"), num_envs=NUM_ENVS), "rgb")
    rng = np.random.default_rng(0)
    observations, _ = envs.reset(seed=5)
    spent = dict.fromkeys(ways, 0.0)
    rows = list(range(NUM_ENVS))
    if agent is not None:
        agent.reset_rows(rows, observations["instruction"])
    for _ in range(num_steps):
        for name, encoder in ways.items():
            began = time.process_time()
            encoder(observations)
            spent[name] += time.process_time() - began
        skills = (
            rng.integers(0, 70, NUM_ENVS) if agent is None else agent.act_rows(rows, observations)
        )
        observations, _, terminated, truncated, _ = envs.step(skills)
        ended = np.flatnonzero(terminated | truncated).tolist()
        if agent is not None and ended:
            agent.reset_rows(ended, [observations["instruction"][row] for row in ended])
    envs.close()
    views = ways["each view once"].views
    assert views is not None
    total = num_steps * NUM_ENVS
    slow, fast = (total / seconds for seconds in spent.values())
    known = views.hits / total
    kind = "random skills" if agent is None else "trained policy"
    print(f"{kind}: {slow:.0f} -> {fast:.0f} a core-s, {fast / slow:.2f} times; {known:.0%} known")


def ways_to_compute() -> None:
    """Print CPU ms a picture by precision and memory layout."""
    pictures = torch.randint(0, 256, (32, 256, 256, 3), dtype=torch.uint8)
    for precision in PRECISIONS:
        for layout in LAYOUTS:
            encoder = load_encoder("segcnn", precision=precision, memory_format=layout)
            encode = lambda encoder=encoder: encoder.encode(pictures)  # noqa: E731
            print(f"{precision} {layout}: {1e3 * best_s(encode, 3) / 32:.1f} ms a picture")


def main() -> None:
    chosen = options(__doc__, steps=40, checkpoint="results/v0/checkpoints/llarp_0")
    torch.set_num_threads(1)
    played(None, chosen.steps)
    if Path(chosen.checkpoint).is_dir():
        played(PolicyAgent.load(chosen.checkpoint, encoder_precision="float32"), chosen.steps)
    ways_to_compute()


if __name__ == "__main__":
    main()
