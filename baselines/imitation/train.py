"""`python -m langrearrange_baselines.imitation.train`: clone an expert, then DAgger.

What it leaves is a checkpoint that `llarp.train --init-from` goes on from and `llarp.evaluate`
plays. Only the command: settings are in `config`, the run itself in `run`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import tyro

from langrearrange.errors import UsageError

from ..command import Stopped, run_command, stop_signals
from ..llarp import checkpoint
from .config import ImitationConfig
from .run import Imitation, parts_folder


def imitate(config: ImitationConfig) -> Imitation:
    """Run; return the run as it stands at the end, or where SIGTERM or Ctrl-C stopped it.

    Raises:
        LangRearrangeError: one sentence; the parts that were done are saved.
    """
    torch.set_num_threads(config.threads)
    parts = parts_folder(config.out)
    begun = (config.out / "metrics.jsonl").exists() or parts.exists()
    if not config.resume and (begun or checkpoint.checkpoints(config.out)):
        raise UsageError(
            f"{config.out} holds a run already; go on with --resume or choose another --out"
        )
    run = Imitation(config)
    try:
        if config.resume:
            run.resume()
        with stop_signals("recording or pass") as stop:
            run.run(stop)
    finally:
        run.envs.close()
    return run


def main() -> int:
    """Run the command; 0 ok, 1 failed, 2 wrong usage, 130 stopped by a signal."""
    name = "python -m langrearrange_baselines.imitation.train"
    return run_command(lambda: _finished(imitate(tyro.cli(ImitationConfig, prog=name))))


def _finished(run: Imitation) -> Path:
    """Return the run's folder; Stopped where a signal ended it before its last part."""
    if run.done < len(run.parts):
        raise Stopped(
            f"stopped and saved after {run.done} of {len(run.parts)} parts; --resume goes on"
        )
    return run.config.out


if __name__ == "__main__":
    sys.exit(main())
