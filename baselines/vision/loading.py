"""From a name or path to a frozen encoder, and weights to and from a file. No training."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch

from langrearrange.errors import did_you_mean

from ..tensors import read_tensors, write_tensors
from .encoder import SymbolicEncoder, VisionEncoder, VisionError
from .percepts import PicturePercepts, StatePercepts
from .segcnn import MemoryFormat, Precision, SegCnn, SegCnnConfig, SegCnnEncoder

WEIGHTS: Final = Path(__file__).parent / "weights" / "segcnn.safetensors"
"""The shipped weights, made by `pretrain`; docs/vision.md is their model card."""
NAMES: Final = ("segcnn", "random", "symbolic", "percepts", "percepts:segcnn")
_PERCEPTS: Final = "percepts"
_FORMAT: Final = "langrearrange-segcnn-1"


def load_encoder(
    name_or_path: str | Path,
    *,
    precision: Precision = "float32",
    memory_format: MemoryFormat = "channels_last",
    device: str | torch.device = "cpu",
) -> VisionEncoder:
    """Return a frozen encoder.

    Args:
        name_or_path: `segcnn` (the shipped weights), `random` (the same network untrained: a
            control), `symbolic` (reads the state observation), `percepts` (what segcnn would read
            out, computed from the state observation with its errors), `percepts:segcnn` (the same
            read out of pictures; or `percepts:` and a file), a `.safetensors` file written by
            `pretrain`, a `.pth` file as VC-1 and MAE publish them, or a folder with a Hugging Face
            ViT (DINOv2, CLIP, ...: its CLS token, its own preprocessing).
        precision: of the convolutions or of the ViT.
        memory_format: of the convolutions.
        device: where it computes.

    Raises:
        VisionError: no such encoder, or weights that cannot be used.
    """
    name = str(name_or_path)
    if name == "symbolic":
        return SymbolicEncoder()
    if name == _PERCEPTS:
        return StatePercepts.load()
    if name.startswith(f"{_PERCEPTS}:"):
        detector = load_encoder(
            name.partition(":")[2],
            precision=precision,
            memory_format=memory_format,
            device=device,
        )
        if not isinstance(detector, SegCnnEncoder):
            raise VisionError(f"'{name}': only segcnn and files of vision.pretrain give percepts")
        return PicturePercepts(detector)
    if name == "random":
        network = random_network(SegCnnConfig())
        return SegCnnEncoder(network, name, precision, memory_format).to(device)
    path = WEIGHTS if name == "segcnn" else Path(name_or_path)
    if path.suffix == ".safetensors":
        network = read_network(path)[0]
        return SegCnnEncoder(network, name, precision, memory_format).to(device)
    if path.suffix in (".pth", ".pt"):
        from .mae import load_mae

        return load_mae(path, precision).to(device)
    if (path / "config.json").is_file():
        from .vit import load_vit

        return load_vit(path, precision).to(device)
    raise VisionError(
        f"no encoder '{name}'; accepted: {', '.join(NAMES)}, a .safetensors file made by "
        "vision.pretrain, a .pth file of VC-1 or MAE, or a folder with a Hugging Face ViT "
        "(config.json)" + did_you_mean(name, NAMES)
    )


def perception(name: str) -> str:
    """Return in words what an encoder was trained on, for traces and tables."""
    source = name.partition(":")[2] if name.startswith(f"{_PERCEPTS}:") else name
    if source in ("symbolic", _PERCEPTS):
        return "state"
    if source == "segcnn" or source.endswith(".safetensors"):
        return f"supervised detector ({Path(source).stem}, trained on our labels)"[:200]
    return f"generic pixels ({source})"[:200]


def read_as_percepts(stored: str, name: str) -> str:
    """Return the encoder to load as `name` for a policy that was trained with `stored`.

    A policy trained on percepts reads them out of pictures when it is given a picture encoder.
    """
    trained = stored.partition(":")[0] == _PERCEPTS
    return f"{_PERCEPTS}:{name}" if trained and name.partition(":")[0] != _PERCEPTS else name


def random_network(config: SegCnnConfig, seed: int = 0) -> SegCnn:
    """Return the network with weights drawn from `seed`; the global generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SegCnn(config)


def write_network(network: SegCnn, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights in float16, with the network's shape and facts of the training, atomically.

    Args:
        network: what to write.
        path: the file; an existing one is replaced.
        facts: JSON values, kept in the file's metadata.
    """
    tensors = {name: weight.half() for name, weight in network.state_dict().items()}
    metadata = {
        "format": _FORMAT,
        "config": json.dumps(asdict(network.config)),
        "facts": json.dumps(dict(facts)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, tensors, metadata)


def read_network(path: Path) -> tuple[SegCnn, dict[str, Any]]:
    """Return a network and the facts of its training; VisionError if the file cannot be used."""
    remedy = "make weights with: python -m langrearrange_baselines.vision.pretrain --out FILE"
    tensors, metadata = read_tensors(path, VisionError, remedy, _FORMAT)
    shape = json.loads(metadata["config"])
    network = random_network(SegCnnConfig(**shape | {"widths": tuple(shape["widths"])}))
    try:
        network.load_state_dict({name: weight.float() for name, weight in tensors.items()})
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise VisionError(f"{path} holds weights of another network: {first}") from error
    return network, json.loads(metadata["facts"])
