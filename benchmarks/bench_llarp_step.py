"""Where a training step's time goes with preset `tiny`: simulator, encoder, policy, update.

CPU time of one run, pictures of 256 x 256, by the precision of the encoder. All flats were visited
before, and an update was made.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.engine.encoder import make_encoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.engine.trainer import Trainer
from timing import options


class Clock:
    """CPU seconds spent in what it wraps."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            try:
                return work(*args, **kwargs)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - began

        return timed


class TimedEncoder:
    """An encoder whose calls are timed."""

    def __init__(self, encoder: Any, clock: Clock) -> None:
        self._encoder, self._see = encoder, clock.around("encoder", encoder)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def __call__(self, observations: Any) -> Any:
        return self._see(observations)


def measure(encoder: str, precision: Any, updates: int, out: Path) -> tuple[dict[str, float], int]:
    """CPU seconds by part, of all updates but the first, and their env steps."""
    config = preset("tiny", encoder=encoder, encoder_precision=precision, out=out)
    clock = Clock()
    encoder = TimedEncoder(make_encoder(config), clock)
    envs = make_envs(config, encoder.modality)
    trainer = Trainer(config, envs, encoder, make_policy(config, encoder, 70))
    trainer.begin()
    envs.step = clock.around("env", envs.step)
    trainer.player.play = clock.around("play", trainer.player.play)
    trainer.ppo.update = clock.around("update", trainer.ppo.update)
    for update in range(updates + 1):
        if update == 1:
            clock.spent.clear()
        rollout = trainer.player.play(config.num_steps)
        trainer.ppo.update(rollout, update)
    envs.close()
    spent = clock.spent
    policy = spent.pop("play") - spent["env"] - spent["encoder"]
    parts = {"env": spent["env"], "encoder": spent["encoder"], "policy": policy}
    return parts | {"update": spent["update"]}, updates * config.num_envs * config.num_steps


def visit_flats() -> None:
    """Begin 320 episodes: a flat's first one costs 80 ms more."""
    config = preset("tiny")
    envs = make_envs(config, "rgb")
    for seed in range(10):
        envs.reset(seed=1000 * seed)
    envs.close()


def main() -> None:
    updates = options(__doc__, updates=3).updates
    torch.set_num_threads(1)
    visit_flats()
    print("CPU ms an env step (share)")
    for encoder, precision in (("segcnn", "float32"), ("segcnn", "bfloat16"), ("symbolic", None)):
        with tempfile.TemporaryDirectory() as folder:
            spent, steps = measure(encoder, precision or "float32", updates, Path(folder))
        total = sum(spent.values())
        parts = ", ".join(f"{k} {1e3 * v / steps:.2f} ({v / total:.0%})" for k, v in spent.items())
        name = f"{encoder} {precision or ''}".strip()
        print(f"{name:16s} {1e3 * total / steps:5.2f}: {parts}", flush=True)


if __name__ == "__main__":
    main()
