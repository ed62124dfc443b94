"""From a name or path to a frozen encoder, and weights to and from a file. No training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open

from ..tensors import save_tensors
from .encoder import SymbolicEncoder, VisionEncoder, VisionError
from .segcnn import Precision, SegCnn, SegCnnConfig, SegCnnEncoder

WEIGHTS: Final = Path(__file__).parent / "weights" / "segcnn.safetensors"
"""The shipped weights, made by `pretrain`; docs/vision.md is their card."""
NAMES: Final = ("segcnn", "random", "symbolic")
_FORMAT: Final = "langrearrange-segcnn-1"


def load_encoder(
    name_or_path: str | Path,
    *,
    precision: Precision = "float32",
    device: str | torch.device = "cpu",
) -> VisionEncoder:
    """Return a frozen encoder.

    Args:
        name_or_path: `segcnn` (the shipped weights), `random` (the same network untrained: a
            control), `symbolic` (reads the state observation), a `.safetensors` file written by
            `pretrain`, or a folder with a Hugging Face ViT (its CLS token, its own preprocessing).
        precision: of the convolutions or of the ViT.
        device: where it computes.

    Raises:
        VisionError: no such encoder, or weights that cannot be used.
    """
    name = str(name_or_path)
    if name == "symbolic":
        return SymbolicEncoder()
    if name == "random":
        return _encoder(random_network(SegCnnConfig()), name, precision, device)
    path = WEIGHTS if name == "segcnn" else Path(name_or_path)
    if path.suffix == ".safetensors":
        return _encoder(read_network(path)[0], name, precision, device)
    if (path / "config.json").is_file():
        from .vit import load_vit

        return load_vit(path, precision).to(device)
    close = get_close_matches(name, NAMES, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise VisionError(
        f"no encoder '{name}'; accepted: {', '.join(NAMES)}, a .safetensors file made by "
        f"vision.pretrain, or a folder with a Hugging Face ViT (config.json){hint}"
    )


def random_network(config: SegCnnConfig, seed: int = 0) -> SegCnn:
    """Return the network with weights drawn from `seed`; the global generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SegCnn(config)


def write_network(network: SegCnn, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights in float16, the shape and facts of the training beside them, atomically.

    Args:
        network: what to write.
        path: the file; a file that lies there is replaced.
        facts: JSON-able, kept in the file's metadata.
    """
    tensors = {
        name: weight.detach().to("cpu", torch.float16).contiguous()
        for name, weight in network.state_dict().items()
    }
    metadata = {
        "format": _FORMAT,
        "config": json.dumps(asdict(network.config)),
        "facts": json.dumps(dict(facts)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    save_tensors(temporary, tensors, metadata)
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    temporary.replace(path)


def read_network(path: Path) -> tuple[SegCnn, dict[str, Any]]:
    """Return a network and the facts of its training; VisionError if the file cannot be used."""
    if not path.is_file():
        raise VisionError(
            f"no weights at {path}; make them with: python -m langrearrange_baselines.vision."
            "pretrain --out <file>.safetensors"
        )
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise VisionError(f"{path}: not readable ({error}); restore or make it again") from error
    if metadata.get("format") != _FORMAT:
        raise VisionError(
            f"{path}: format {metadata.get('format')!r}, this release reads {_FORMAT!r}; make the "
            "weights again with vision.pretrain"
        )
    shape = json.loads(metadata["config"])
    network = random_network(SegCnnConfig(**shape | {"widths": tuple(shape["widths"])}))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise VisionError(f"{path}: weights of another network: {first}") from error
    return network, json.loads(metadata["facts"])


def _encoder(
    network: SegCnn, name: str, precision: Precision, device: str | torch.device
) -> SegCnnEncoder:
    return SegCnnEncoder(network, name, precision).to(device)
