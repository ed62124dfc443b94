"""Tensors and JSON in files, whole or not at all. Not for what they mean."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from langrearrange.errors import LangRearrangeError


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write tensors, whatever their device, as safetensors; an existing file is replaced.

    Raises:
        OSError: the disk is full or not writable; safetensors has it in words alone.
    """
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    temporary = path.with_suffix(".partial")
    try:
        save_file(own, temporary, metadata)
    except SafetensorError as error:
        found = re.search(r"os error (\d+)", str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error
    temporary.chmod(0o644)  # safetensors writes for the owner alone
    temporary.replace(path)


def read_tensors(
    path: Path, error: type[LangRearrangeError], remedy: str, form: str | None = None
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file onto the CPU.

    Args:
        path: the file.
        error: what to raise.
        remedy: what to do about it, for the message.
        form: what its metadata must have as `format`.

    Returns:
        Its tensors and its metadata.

    Raises:
        LangRearrangeError: of type `error`: it is missing, corrupt or of another format.
    """
    if not path.is_file():
        raise error(f"there is no file {path}; {remedy}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            # Copies: a tensor that is mapped from a file changes when the file does.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except (SafetensorError, OSError, ValueError) as cause:
        raise error(f"{path} cannot be read ({cause}); {remedy}") from cause
    if form is not None and metadata.get("format") != form:
        raise error(
            f"{path} has format {metadata.get('format')!r}, this release reads {form!r}; {remedy}"
        )
    return tensors, metadata


def write_json(path: Path, value: Any) -> None:
    """Write JSON values; NaN raises ValueError."""
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json_lines(path: Path) -> list[Any]:
    """Return the values of a file with one JSON value a line; none if it is missing."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]
