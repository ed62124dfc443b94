"""Checkpoints: folders of safetensors and JSON, complete or absent. No pickle.

    checkpoints/000040/          after 40 updates; the folder is renamed when all is written
        state.json               settings, counters, what model and encoder it belongs to
        weights.safetensors      the trained weights alone: all that acting needs
        optimizer.safetensors    the optimiser's moments
        rank_0.json              a process's envs and random generators
        rank_0.safetensors       what its running episodes have seen

A frozen language model is never stored, only its fingerprint.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from langrearrange.cli.common import SimulatorOptions
from langrearrange.errors import UsageError

from .. import tensors
from ..pretrained import fingerprint
from .config import RunConfig, TrainConfig
from .encoder import Encoder, check_encoder, encoder_facts
from .errors import CheckpointError
from .learner import find_learner
from .policy import Policy

SCHEMA_VERSION: Final = 2
_NEEDED: Final = ("config", "method", "policy_fingerprint", "encoder", "num_actions")
_NAME: Final = re.compile(r"\d{6,}")
_ANOTHER: Final = "use another checkpoint"
_LATER: Final = dataclasses.asdict(SimulatorOptions()) | {
    "homes": [],
    "inputs": "",
    "layers": 0,
    "encoder_layout": "channels_last",
    "reuse_views": True,
    "render_threads": 1,
}
"""Settings that older checkpoints lack, as they were trained."""


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
    """Return where a checkpoint is written until it is complete; `writer`: by one rank alone."""
    return folder / "checkpoints" / f"{update:06d}.partial{'' if writer is None else writer}"


def complete(folder: Path, update: int, keep: int) -> Path:
    """Rename a checkpoint that was written, and remove all but the last `keep`."""
    partial = partial_folder(folder, update)
    final = partial.with_suffix("")
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def write_policy(
    folder: Path, config: RunConfig, policy: Policy, encoder: Encoder, method: str, **more: Any
) -> None:
    """Write a policy's weights and state.json.

    Args:
        folder: of the checkpoint.
        config: settings of the run.
        policy: what was trained.
        encoder: of the policy.
        method: how: `ppo` or `imitation`.
        more: further JSON values for state.json.
    """
    tensors.write_tensors(folder / "weights.safetensors", dict(policy.trained()))
    state = {
        "schema_version": SCHEMA_VERSION,
        "config": config.record(),
        "method": method,
        "policy_fingerprint": fingerprint(policy),
        "encoder": encoder_facts(config.encoder, encoder),
        "num_actions": policy.num_actions,
        **more,
    }
    tensors.write_json(folder / "state.json", state)


def read_json(path: Path) -> Any:
    """Read a JSON file of a checkpoint; CheckpointError if it is missing or corrupt."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); {_ANOTHER}") from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a checkpoint's tensors onto the CPU; CheckpointError if missing or corrupt."""
    return tensors.read_tensors(path, CheckpointError, _ANOTHER)[0]


def read_state(folder: Path) -> dict[str, Any]:
    """Read state.json; CheckpointError if it is corrupt or of another schema version."""
    state: dict[str, Any] = read_json(folder / "state.json")
    version = state.get("schema_version") if isinstance(state, dict) else None
    if version != SCHEMA_VERSION:
        raise CheckpointError(
            f"{folder}: schema version {version!r}; this release reads {SCHEMA_VERSION}"
        )
    lacking = [name for name in _NEEDED if name not in state]
    if lacking or not isinstance(state["config"], dict):
        raise CheckpointError(
            f"{folder / 'state.json'} lacks '{(*lacking, 'config')[0]}'; {_ANOTHER}"
        )
    state["config"] = _LATER | state["config"]
    return state


def run_config(state: Mapping[str, Any], **changes: Any) -> RunConfig:
    """Return the settings in a checkpoint's state that any run has, some of them changed.

    Raises:
        CheckpointError: a setting is missing, or has a value that is not accepted.
        UsageError: a change to a setting that does not exist.
    """
    known = [field.name for field in dataclasses.fields(RunConfig)]
    wrong = sorted(set(changes) - set(known))
    if training := sorted(set(wrong) & {field.name for field in dataclasses.fields(TrainConfig)}):
        raise UsageError(
            f"'{training[0]}' is of training only; a trained policy plays by its observation alone"
        )
    if wrong:
        raise UsageError(f"no setting '{wrong[0]}'; accepted: {', '.join(sorted(known))}")
    try:
        return RunConfig(**{name: state["config"][name] for name in known} | changes)
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"the checkpoint's settings cannot be read ({error!r}); {_ANOTHER}"
        ) from error


def check_settings(
    state: Mapping[str, Any], config: RunConfig, folder: Path, *, free: Collection[str]
) -> None:
    """Raise CheckpointError if a run to be resumed had other settings, those in `free` aside."""
    check_equal(state, config, folder, [name for name in state["config"] if name not in free])


def check_kind(state: Mapping[str, Any], config: RunConfig, folder: Path) -> None:
    """Raise CheckpointError if a checkpoint's policy is of another kind than the settings'."""
    names = ("learner", "train_backbone", "hard", *find_learner(config.learner).settings)
    check_equal(state, config, folder, names)


def check_equal(
    state: Mapping[str, Any], config: RunConfig, folder: Path, names: Iterable[str]
) -> None:
    """Raise CheckpointError unless these settings are as a checkpoint was trained."""
    own = config.record()
    for name in names:
        stored, asked = state["config"].get(name), own.get(name)
        if stored != asked:
            raise CheckpointError(
                f"{folder} was trained with {name}={stored!r}, asked for is {asked!r}; give the "
                "settings it was trained with, or begin a new run"
            )


def load_policy(policy: Policy, encoder: Encoder, folder: Path) -> dict[str, Any]:
    """Put a checkpoint's weights into a policy of the same shape; return its state.

    Raises:
        CheckpointError: it is corrupt, has weights of another shape or NaN, or was trained with
            another encoder or language model.
    """
    state = read_state(folder)
    check_encoder(state["encoder"], encoder, folder, CheckpointError)
    if state["policy_fingerprint"] != fingerprint(policy):
        raise CheckpointError(
            f"{folder} was trained on other weights of '{state['config']['backbone']}' than those "
            "found here; use the same language model, a random one with the same --seed"
        )
    copy_weights(dict(policy.trained()), read_tensors(folder / "weights.safetensors"), folder)
    return state


def copy_weights(own: Mapping[str, Tensor], stored: Mapping[str, Tensor], folder: Path) -> None:
    """Put stored weights into those of the same names and shapes.

    Raises:
        CheckpointError: other names or shapes, or NaN.
    """
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
    invalid = [name for name in own if not stored[name].isfinite().all()]
    if invalid:
        raise CheckpointError(
            f"{folder} has weights that are NaN or infinite ({invalid[0]}); use an earlier "
            "checkpoint"
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
