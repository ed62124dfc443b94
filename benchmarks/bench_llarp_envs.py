"""CPU ms an env step of the engine's own work at many envs: rollout and update, by a stub model.

The model is a Llama of one layer of 16, so that what is left is bookkeeping: slots, instructions,
layouts. One run; what matters is that the cost of a step does not grow with the number of envs: the
last line is the cost at the most envs over that at the fewest.
"""

import cProfile
import pstats
import sys
import tempfile
import time
from pathlib import Path

import torch
from langrearrange_baselines.engine import tiny
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.engine.encoder import make_encoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.engine.policy import ActionModule
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.llarp.backbone import Backbone
from langrearrange_baselines.llarp.observation import ObservationModule
from langrearrange_baselines.llarp.policy import LlarpPolicy
from timing import options

SHAPE = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2}


def measure(num_envs: int, updates: int, profile: bool) -> tuple[float, float]:
    """Return CPU ms an env step of rollouts (their envs aside) and of updates."""
    with tempfile.TemporaryDirectory() as folder:
        config = preset(
            "tiny", out=Path(folder), encoder="symbolic", split="train_mini", num_envs=num_envs,
            exact_resume=False,
        )  # fmt: skip
        encoder = make_encoder(config)
        envs = make_envs(config, encoder.modality)
        backbone = Backbone(tiny.tiny_model(**SHAPE, **HEADS), tiny.WordTokenizer())
        observation = ObservationModule(encoder.feature_shape, encoder.proprio_dim, 16)
        policy = LlarpPolicy(backbone, observation, ActionModule(16, 70, width=16))
        trainer = Trainer(config, envs, encoder, policy)
        trainer.begin()
        spent = {"play": 0.0, "env": 0.0, "update": 0.0}
        step = envs.step

        def timed(actions: object) -> object:
            began = time.process_time()
            result = step(actions)
            spent["env"] += time.process_time() - began
            return result

        envs.step = timed
        profiler = cProfile.Profile()
        for update in range(updates + 1):
            if update == 1:
                spent = dict.fromkeys(spent, 0.0)
                if profile:
                    profiler.enable()
            began = time.process_time()
            rollout = trainer.player.play(config.num_steps)
            played = time.process_time()
            trainer.ppo.update(rollout, update)
            spent["play"] += played - began
            spent["update"] += time.process_time() - played
        profiler.disable()
        if profile:
            pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(25)
        envs.close()
    steps = 1e-3 * updates * num_envs * config.num_steps
    return (spent["play"] - spent["env"]) / steps, spent["update"] / steps


def main() -> None:
    chosen = options(__doc__, envs=[32, 128, 512], updates=1, profile=False)
    torch.set_num_threads(1)
    found = {}
    for num_envs in sorted(chosen.envs):
        play, update = measure(num_envs, chosen.updates, chosen.profile)
        found[num_envs] = play + update
        print(f"{num_envs:4d} envs: rollout {play:.3f}, update {update:.3f} CPU ms", flush=True)
    print(f"{max(found)} envs against {min(found)}: {found[max(found)] / found[min(found)]:.2f}")


if __name__ == "__main__":
    main()
