"""Text encoders of the recurrent learners: an instruction becomes token states, kept if frozen.

Any Hugging Face model by path: an encoder (BERT), the encoder of an encoder-decoder (Flan-T5) or a
decoder (LLaMA). Not for LLaRP, which needs keys and values (`llarp.backbone`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..engine.instructions import Instruction, InstructionStore
from ..engine.language_model import TextModel, Tokenize, load_language_model


class States(NamedTuple):
    """Token states of n sentences: (n, tokens, width) float32 and which are real, (n, tokens)."""

    hidden: Tensor
    real: Tensor


class TextEncoder(TextModel):
    """A Hugging Face model that turns sentences into token states.

    Args:
        model: `model(input_ids=, attention_mask=).last_hidden_state`.
        tokenizer: `tokenizer(text)["input_ids"]`.
        width: of its states.
    """

    def __init__(self, model: nn.Module, tokenizer: Tokenize, width: int) -> None:
        super().__init__(model, tokenizer)
        self.width = width

    def train(self, mode: bool = True) -> TextEncoder:
        """Stay without dropout: acting and training must see the same states."""
        return super().train(False)

    def forward(self, sentences: Sequence[tuple[int, ...]]) -> States:
        """Return the states of sentences, given as tokens."""
        ids = pad_sequence([torch.tensor(tokens) for tokens in sentences], batch_first=True)
        ids, real = ids.to(self.device), self._real(sentences)
        output = self.model(input_ids=ids, attention_mask=real.long())
        return States(output.last_hidden_state.float(), real)

    def states(self, sentences: Sequence[Sentence]) -> States:
        """Return the states of sentences: stored ones, or read inside the graph if trained."""
        stored = [sentence.hidden for sentence in sentences if sentence.hidden is not None]
        if len(stored) < len(sentences):
            return self([sentence.ids for sentence in sentences])  # type: ignore[no-any-return]
        return States(pad_sequence(stored, batch_first=True), self._real(sentences))

    def _real(self, sentences: Sequence[Sized]) -> Tensor:
        lengths = torch.tensor([len(sentence) for sentence in sentences], device=self.device)
        return torch.arange(int(lengths.max()), device=self.device) < lengths[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class Sentence(Instruction):
    """An instruction with its states, (tokens, width); None where the encoder is trained."""

    hidden: Tensor | None

    @property
    def num_bytes(self) -> int:
        """Memory of the states."""
        return 0 if self.hidden is None else self.hidden.numel() * self.hidden.element_size()


class SentenceStore(InstructionStore[Sentence]):
    """Instruction -> tokens and, of a frozen encoder, states.

    Args:
        encoder: reads what is missing, one by one.
        max_bytes: as `InstructionStore` has it.
    """

    def __init__(self, encoder: TextEncoder, max_bytes: int = 1 << 30) -> None:
        super().__init__(encoder.token_ids, max_bytes)
        self._encoder = encoder

    def of_all(self, sentences: Sequence[tuple[int, ...]]) -> list[Sentence]:
        """Return several instructions, given as tokens; nothing is stored of a trained encoder."""
        if self._encoder.trainable:
            return [Sentence(ids, None) for ids in sentences]
        return super().of_all(sentences)

    @torch.no_grad()
    def read(self, missing: Sequence[tuple[int, ...]]) -> Iterable[Sentence]:
        """Return instructions that are not stored."""
        return [Sentence(ids, self._encoder([ids]).hidden[0]) for ids in missing]


def load_text_encoder(name: str, **options: Any) -> TextEncoder:
    """Load a text encoder; see `load_language_model` for names and options.

    Raises:
        BackboneError: it cannot be found or read.
    """
    model, tokenizer, config = load_language_model(name, decoder=False, **options)
    if config.is_encoder_decoder:
        model = model.get_encoder()
    return TextEncoder(model, tokenizer, getattr(config, "hidden_size", 0) or config.d_model)
