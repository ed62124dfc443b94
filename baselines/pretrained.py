"""Weights of Hugging Face models, all of them or none. Not for what a model is then used as."""

from __future__ import annotations

from typing import Any

from safetensors import SafetensorError
from transformers import AutoModel
from transformers.utils import logging


def load_pretrained(source: str, **options: Any) -> Any:
    """Load a model; weights that it does not need are left out without a word.

    Args:
        source: a folder or a name on the Hugging Face hub.
        options: of `AutoModel.from_pretrained`.

    Raises:
        ValueError: the weights are torn, of other shapes than config.json says, or some are
            missing, which transformers would draw at random.
        OSError, KeyError, RuntimeError: as transformers says.
    """
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        model, found = AutoModel.from_pretrained(
            source, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    except SafetensorError as error:
        raise ValueError(f"its weights are torn: {error}") from error
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
