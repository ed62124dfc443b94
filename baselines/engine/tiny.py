"""A language model that needs no download: a random Llama of a few layers and a word tokenizer.

Its weights know nothing about language: it is for tests, to show that reinforcement learning works,
and as the control that every claim about a pretrained model needs.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import torch
from transformers import LlamaConfig, LlamaModel

VOCABULARY: Final = 8192
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


class WordTokenizer:
    """Words and signs of lower-cased text, numbered by their CRC-32: nothing to store or load."""

    def __call__(self, text: str) -> dict[str, list[int]]:
        """Return `input_ids`: 0 to begin with, then one number a word."""
        words = _WORD.findall(text.lower())
        return {"input_ids": [0, *(1 + zlib.crc32(w.encode()) % (VOCABULARY - 1) for w in words)]}

    def __len__(self) -> int:
        return VOCABULARY


def tiny_model(seed: int = 0, **changes: Any) -> LlamaModel:
    """Return a model of 3 layers of 128, 4 heads and 512 positions, on the CPU in float32.

    Its weights are drawn from `seed` with a standard deviation of 1/sqrt(128), not Llama's 0.02:
    with so few layers attention would be nearly uniform and ignore the instruction.
    """
    shape: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 128,
        "intermediate_size": 352,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 512,
        "pad_token_id": None,
        "initializer_range": 0.09,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaModel(LlamaConfig(**(shape | changes)))
