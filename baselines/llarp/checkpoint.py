"""Checkpoints: folders of safetensors and JSON, complete or absent. No pickle.

    checkpoints/000040/          40 updates were made; the name appears when all is written
        state.json               settings, counters, what model it belongs to
        weights.safetensors      the trained weights alone: all that acting needs
        optimizer.safetensors    the optimiser's moments
        rank_0.json              a process's envs and random generators
        rank_0.safetensors       what its running episodes have seen

A frozen language model is never stored, only its fingerprint.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..tensors import save_tensors
from .backbone import fingerprint
from .config import TrainConfig
from .errors import CheckpointError
from .eyes import Eyes
from .learners import Policy

SCHEMA_VERSION: Final = 1
KIND: Final = ("learner", "train_backbone", "observation_module", "tokens_per_step", "hard")
"""Settings that say what kind of policy it is; weights of one kind do not fit another."""
_NEEDED: Final = ("config", "backbone", "feature_shape", "proprio_dim", "num_actions")
_NAME: Final = re.compile(r"\d{6,}")


def checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints in a run's folder, oldest first."""
    parent = folder / "checkpoints"
    found = parent.iterdir() if parent.is_dir() else ()
    return sorted((p for p in found if _NAME.fullmatch(p.name)), key=lambda p: int(p.name))


def find_checkpoint(path: Path | str) -> Path:
    """Return a checkpoint's folder, given it or a run's folder (its last checkpoint).

    Raises:
        CheckpointError: there is none.
    """
    path = Path(path)
    if (path / "state.json").is_file():
        return path
    found = checkpoints(path)
    if not found:
        raise CheckpointError(
            f"no checkpoint at {path}; give a run's folder or one of its checkpoints/NNNNNN"
        )
    return found[-1]


def partial_folder(folder: Path, update: int, writer: int | None = None) -> Path:
    """Return where a checkpoint is written before it gets its name; alone, by number `writer`."""
    return folder / "checkpoints" / f"{update:06d}.partial{'' if writer is None else writer}"


def complete(folder: Path, update: int, keep: int) -> Path:
    """Give a written checkpoint its name and remove those beyond the last `keep`."""
    partial = partial_folder(folder, update)
    final = partial.with_suffix("")
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def write_json(path: Path, value: Any) -> None:
    """Write JSON values; NaN is refused."""
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file of a checkpoint; CheckpointError if it is missing or torn."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); use another checkpoint") from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors, whatever their device."""
    save_tensors(path, {name: t.detach().cpu().contiguous() for name, t in tensors.items()})


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of tensors onto the CPU; CheckpointError if it is missing or torn."""
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); use another checkpoint") from error


def read_state(folder: Path) -> dict[str, Any]:
    """Read a checkpoint's state.json; CheckpointError if it is torn or a newer release wrote it."""
    state: dict[str, Any] = read_json(folder / "state.json")
    version = state.get("schema_version") if isinstance(state, dict) else None
    if version != SCHEMA_VERSION:
        raise CheckpointError(
            f"{folder}: schema version {version!r}; this release reads {SCHEMA_VERSION}"
        )
    lacking = [name for name in _NEEDED if name not in state]
    if lacking or not isinstance(state["config"], dict):
        raise CheckpointError(
            f"{folder / 'state.json'} lacks '{(*lacking, 'config')[0]}'; use another checkpoint"
        )
    return state


def check_kind(state: Mapping[str, Any], config: TrainConfig, folder: Path) -> None:
    """Raise CheckpointError if a checkpoint's policy is of another kind than the settings'."""
    names = [*KIND, *["summary"] * (config.learner == "lstm")]
    names += ["lora_rank"] * (config.train_backbone == "lora")
    for name in names:
        ours, theirs = getattr(config, name), state["config"].get(name)
        if ours != theirs:
            raise CheckpointError(
                f"{folder} was trained with {name}={theirs!r}, asked for is {ours!r}; give the "
                "settings it was trained with"
            )


def check_eyes(state: Mapping[str, Any], eyes: Eyes, folder: Path) -> None:
    """Raise CheckpointError if a checkpoint's policy was trained with other eyes."""
    encoder = state["config"]["encoder"]
    shape = tuple(state["feature_shape"])
    if (shape, state["proprio_dim"]) != (eyes.feature_shape, eyes.proprio_dim):
        raise CheckpointError(
            f"{folder} was trained through encoder '{encoder}' on features {shape} and "
            f"{state['proprio_dim']} numbers of proprioception; here they are "
            f"{eyes.feature_shape} and {eyes.proprio_dim}: use the encoder it was trained with"
        )
    # Earlier checkpoints do not say what the eyes' weights were.
    if state.get("eyes", eyes.fingerprint) != eyes.fingerprint:
        raise CheckpointError(
            f"{folder} was trained through other weights of encoder '{encoder}' than those found "
            "here; use the encoder it was trained with"
        )


def load_weights(policy: Policy, folder: Path) -> None:
    """Put a checkpoint's weights into a policy of the same shape.

    Raises:
        CheckpointError: weights of another shape or that are no numbers, or another language
            model under them.
    """
    state = read_state(folder)
    if state["backbone"] != fingerprint(policy.backbone):
        raise CheckpointError(
            f"{folder} was trained on other weights of '{state['config']['backbone']}' than those "
            "found here; use the same language model, a random one with the same --seed"
        )
    stored = read_tensors(folder / "weights.safetensors")
    own = dict(policy.trained())
    wrong = [
        f"{name} is {_shape(stored.get(name))}, here {_shape(own.get(name))}"
        for name in sorted(stored.keys() | own.keys())
        if _shape(stored.get(name)) != _shape(own.get(name))
    ]
    if wrong:
        raise CheckpointError(
            f"{folder} is of another shape: {wrong[0]} ({len(wrong)} such weights); build the "
            "policy with the settings in its state.json"
        )
    spoilt = [name for name in own if not stored[name].isfinite().all()]
    if spoilt:
        raise CheckpointError(
            f"{folder} holds weights that are no numbers ({spoilt[0]}); use an earlier checkpoint"
        )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(stored[name])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as tensors named `number.what`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in state.items()
        for name, value in values.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put `optimizer_tensors` back; settings such as the learning rate stay as they are."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, what = name.partition(".")
        state.setdefault(int(number), {})[what] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _shape(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else "x".join(map(str, tensor.shape)) or "a number"
