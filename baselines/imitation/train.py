"""`python -m langrearrange_baselines.imitation.train`: clone an expert, then DAgger.

It leaves a checkpoint for `train --init-from` and `evaluate`. Only the command: settings are in
`config`, the run itself in `run`.
"""

import sys
from pathlib import Path

import torch

from ..command import check_new, finished, run_module, stop_signals
from ..engine.checkpoint import checkpoints
from ..engine.speed import settled
from .config import ImitationConfig
from .run import Imitation, unfinished_folder


def imitate(config: ImitationConfig) -> Imitation:
    """Run; return the run in its final state, or where SIGTERM or Ctrl-C stopped it.

    Raises:
        LangRearrangeError: it cannot begin or continue; the phases that were done are saved.
    """
    torch.set_num_threads(config.threads)
    found = (config.out / "metrics.jsonl").exists() or unfinished_folder(config.out).exists()
    exists = found or bool(checkpoints(config.out))
    check_new(config.out, resume=config.resume, exists=exists)
    begun = unfinished_folder(config.out) if not checkpoints(config.out) else config.out
    run = Imitation(settled(config, begun if config.resume else None))
    try:
        if config.resume:
            run.resume()
        with stop_signals("recording or pass") as stop:
            run.run(stop)
    finally:
        run.envs.close()
    return run


def _command(config: ImitationConfig) -> Path:
    run = imitate(config)
    return finished(config.out, run.done, len(run.phases), "phases")


if __name__ == "__main__":
    sys.exit(run_module("imitation.train", ImitationConfig, _command))
