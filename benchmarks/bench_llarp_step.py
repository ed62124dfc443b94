"""Where a training step's time goes: simulator, encoder, policy, update; beside an earlier commit.

CPU ms an env step of PPO, one update after one that warms up. `--against COMMIT` checks that commit
out beside this one and measures both in turns; what a commit does not know is left out, and
percepts are replaced by the `state` observation. The pictures' policy is a trained one, so that
views repeat as they do in training.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from timing import options

ROOT = Path(__file__).resolve().parents[1]
TRAINED = ROOT / "results/v0/checkpoints/llarp_0"
MINILM = {"preset": "tiny", "backbone": "minilm", "exact_resume": False, "ratio_tolerance": 1e-4}
CASES: dict[str, dict[str, Any]] = {
    "small": {"preset": "small", "ratio_tolerance": 1e-3},
    "percepts": MINILM | {"encoder": "percepts"},
    "pictures": MINILM | {"encoder": "segcnn", "num_steps": 16, "init_from": str(TRAINED)},
}
PARTS = ("env", "encoder", "policy", "update")


class Clock:
    """CPU seconds spent in what it wraps."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys(("play", *PARTS), 0.0)

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.process_time()
            try:
                return work(*args, **kwargs)
            finally:
                self.spent[name] += time.process_time() - began

        return timed


def measure(case: str, updates: int) -> dict[str, float] | None:
    """CPU ms an env step by part, of all updates but the first; None: the commit cannot."""
    import torch
    from langrearrange_baselines.engine.config import PRESETS, preset
    from langrearrange_baselines.engine.encoder import make_encoder
    from langrearrange_baselines.engine.envs import make_envs
    from langrearrange_baselines.engine.factory import make_policy
    from langrearrange_baselines.engine.trainer import Trainer

    torch.set_num_threads(1)
    settings = dict(CASES[case])
    if settings["preset"] not in PRESETS:
        return None
    if importlib.util.find_spec("langrearrange_baselines.vision.percepts") is None:
        settings |= {"encoder": "symbolic"} if case == "percepts" else {}
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        config = preset(settings.pop("preset"), out=Path(folder), **settings)
        encoder = make_encoder(config)
        envs = make_envs(config, encoder.modality)
        trainer = Trainer(config, envs, encoder, make_policy(config, encoder, 70))
        if encoder.modality == "rgb":  # a flat's first visit costs 80 ms more
            for seed in range(10):
                envs.reset(seed=1000 * seed)
        trainer.begin()
        trainer.player.encoder = clock.around("encoder", encoder)
        envs.step = clock.around("env", envs.step)
        for update in range(updates + 1):
            if update == 1:
                clock.spent = dict.fromkeys(clock.spent, 0.0)
            rollout = clock.around("play", trainer.player.play)(config.num_steps)
            clock.around("update", trainer.ppo.update)(rollout, update)
        envs.close()
    spent = clock.spent
    spent["policy"] = spent.pop("play") - spent["env"] - spent["encoder"]
    return {k: 1e3 * s / (updates * config.num_envs * config.num_steps) for k, s in spent.items()}


def check_out(commit: str, folder: Path) -> None:
    """Check a commit out into a folder from which its packages can be imported."""
    subprocess.run(["git", "worktree", "add", "--detach", folder, commit], cwd=ROOT, check=True)
    for name in ("baselines", "templates", "datasets", "docs"):
        (folder / f"langrearrange_{name}").symlink_to(name)
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(build, cwd=folder, check=True)


def measured_in(tree: Path, case: str, updates: int) -> dict[str, float] | None:
    """Return `measure` of the packages in a checkout."""
    command = [sys.executable, __file__, "--cases", case, "--updates", str(updates), "--json"]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] | None = json.loads(done.stdout.splitlines()[-1])
    return result


def show(name: str, rounds: list[dict[str, float] | None]) -> float:
    """Print the best round, and return its sum: whatever else runs here only adds to it."""
    known = [one for one in rounds if one is not None]
    if not known:
        print(f"{name:30s} not known")
        return float("nan")
    spent = min(known, key=lambda one: sum(one.values()))
    total = sum(spent.values())
    parts = ", ".join(f"{part} {ms:.2f} ({ms / total:.0%})" for part, ms in spent.items())
    print(f"{name:30s} {total:6.2f}: {parts}", flush=True)
    return total


def main() -> None:
    cases = ["small", "percepts", "pictures"]
    chosen = options(__doc__, cases=cases, updates=1, rounds=1, against="", json=False)
    if chosen.json:
        print(json.dumps(measure(chosen.cases[0], chosen.updates)))
        return
    with tempfile.TemporaryDirectory() as folder:
        trees = {"now": ROOT}
        if chosen.against:
            trees = {chosen.against: Path(folder) / "tree", "now": ROOT}
            check_out(chosen.against, trees[chosen.against])
        try:
            for case in chosen.cases:
                found: dict[str, list[dict[str, float] | None]] = {name: [] for name in trees}
                for _ in range(chosen.rounds):
                    for name, tree in trees.items():
                        found[name].append(measured_in(tree, case, chosen.updates))
                totals = [show(f"{case}, {name}", rounds) for name, rounds in found.items()]
                if chosen.against:
                    print(f"{case}: {totals[1] / totals[0]:.2f} of {chosen.against}")
        finally:
            if chosen.against:
                remove = ["git", "worktree", "remove", "--force", trees[chosen.against]]
                subprocess.run(remove, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
