"""Weights of Hugging Face models, all of them or none; GGUF files; a fingerprint of weights."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from contextlib import redirect_stderr
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from langrearrange.errors import MissingExtraError
from langrearrange.log import get_logger
from langrearrange.paths import cache_path

logger = get_logger(__name__)


def load_pretrained(source: str, **options: Any) -> Any:
    """Load a model; weights that it does not need are left out silently.

    Args:
        source: a folder or a name on the Hugging Face hub.
        options: of `AutoModel.from_pretrained`.

    Raises:
        ValueError: the weights are corrupt, of other shapes than config.json says, or some are
            missing, which transformers would draw at random.
        OSError, KeyError, RuntimeError: from transformers.
    """
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        model, found = AutoModel.from_pretrained(
            source, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    except SafetensorError as error:
        raise ValueError(f"its weights are corrupt: {error}") from error
    finally:
        logging.set_verbosity(verbosity)
    for name, stored, expected in sorted(found["mismatched_keys"]):
        raise ValueError(
            f"{name} is {'x'.join(map(str, stored))}, by config.json {'x'.join(map(str, expected))}"
        )
    # Nothing here reads a pooler, and many files come without one.
    lacking = sorted(name for name in found["missing_keys"] if "pooler." not in name)
    if lacking:
        raise ValueError(f"its weights lack {lacking[0]} and {len(lacking) - 1} more")
    return model


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, "no file" where there is none."""
    if not path.is_file():
        return "no file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack_gguf(path: Path, sha256: str) -> Path:
    """Return a folder that `from_pretrained` takes, with a GGUF file's model in float32.

    It is made once, in the cache folder (`LANGREARRANGE_CACHE`), and found by the file's sha256.

    Args:
        path: the file; of Llama, Mistral, Qwen or another architecture that transformers reads.
        sha256: of the file.

    Raises:
        MissingExtraError: the packages that read GGUF files are missing.
        Exception: from transformers; it cannot be read, or the cache cannot be written.
    """
    folder = cache_path() / "models" / sha256
    if folder.is_dir():
        return folder
    for module in ("gguf", "accelerate"):
        if find_spec(module) is None:
            raise MissingExtraError(f"reading {path.name}", "smollm2", module)
    logger.info("unpacking %s into %s, once", path.name, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        with redirect_stderr(io.StringIO()):  # a progress bar that cannot be turned off
            options: dict[str, Any] = {"gguf_file": path.name}
            AutoTokenizer.from_pretrained(path.parent, **options).save_pretrained(partial)
            model = AutoModel.from_pretrained(path.parent, dtype=torch.float32, **options)
        # What is saved is no longer quantised; transformers would refuse to save it.
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(partial)
        partial.chmod(0o755)  # the folder and the weights were made for the owner alone
        (partial / "model.safetensors").chmod(0o644)
        if not folder.is_dir():  # else another process was faster
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def fingerprint(module: nn.Module, dtype: torch.dtype = torch.float32) -> str:
    """Return a sha256 over names, shapes and a sample of all frozen weights, rounded to `dtype`."""
    digest = hashlib.sha256()
    for name, weight in sorted(module.named_parameters()):
        if weight.requires_grad:
            continue
        flat = weight.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)][:64].to(dtype).float().cpu()
        name = name.replace(".base.", ".")  # a layer with a low-rank update is the layer
        digest.update(f"{name}{tuple(weight.shape)}".encode() + sample.numpy().tobytes())
    return digest.hexdigest()
