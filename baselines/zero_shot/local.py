"""A Hugging Face causal language model in this process, asked for one episode after the other.

What two conversations begin with is read once: keys and values of the common prefix are kept, which
covers the rules across episodes and the past turns within one.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils import logging

from langrearrange.agents import AgentTimeoutError

from ..engine.errors import BackboneError
from ..engine.language_model import UNREADABLE, model_source
from .model import ContextTooLongError, Message, Reply


class LocalModel:
    """Answers greedily, or chooses the likeliest of some answers.

    Args:
        name: `smollm2`, a folder with a Hugging Face model that has a chat template, a GGUF file or
            a name on the hub.
        max_answer_tokens: an answer is cut off there.
        threads: of torch.

    Raises:
        BackboneError: it cannot be found or read, or has no chat template.
    """

    def __init__(self, name: str, *, max_answer_tokens: int = 512, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        self._tokenizer, self._model = load_chat_model(name)
        self._max_answer_tokens = max_answer_tokens
        self._max_tokens = int(getattr(self._model.config, "max_position_embeddings", 1 << 30))
        ends = self._model.generation_config.eos_token_id
        self._ends = {self._tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])}
        named = "cache" in inspect.signature(self._model.forward).parameters
        self._cache_name = "cache" if named else "past_key_values"
        self._kept: list[int] = []
        self._cache = DynamicCache()

    def answer(self, messages: Sequence[Message], timeout_s: float) -> Reply:
        """Return the likeliest tokens one after the other; see `ChatModel`."""
        deadline = time.monotonic() + timeout_s
        prompt = self._tokens(messages)
        answer: list[int] = []
        while len(answer) < self._max_answer_tokens:
            token = int(self._log_probs(prompt + answer).argmax())
            if token in self._ends:
                break
            answer.append(token)
            if time.monotonic() > deadline:
                raise AgentTimeoutError(
                    f"no answer within {timeout_s:.3g} s; raise --step-timeout-s"
                )
        text = self._tokenizer.decode(answer, skip_special_tokens=True)
        return Reply(text, len(answer) == self._max_answer_tokens, len(prompt), len(answer))

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], timeout_s: float
    ) -> tuple[int, Reply]:
        """Return the option that is likeliest as the whole answer; see `ChatModel`."""
        prompt = self._tokens(messages)
        end = self._tokenizer.eos_token_id
        encoded = self._tokenizer(list(options), add_special_tokens=False)["input_ids"]
        paths = [(*tokens, end) for tokens in encoded]
        best = likeliest(paths, lambda path: self._log_probs([*prompt, *path]))
        return best, Reply(options[best], False, len(prompt), len(paths[best]))

    def close(self) -> None:
        """Forget what was kept."""
        self._kept, self._cache = [], DynamicCache()

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        text = self._tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True
        )
        tokens = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        room = self._max_tokens - self._max_answer_tokens
        if len(tokens) > room:
            raise ContextTooLongError(f"{len(tokens)} tokens; the model reads {room}", "context")
        return tokens

    @torch.inference_mode()
    def _log_probs(self, tokens: list[int]) -> Tensor:
        """Return the log-probabilities of what follows the tokens, shape (vocabulary,)."""
        same = 0
        for old, new in zip(self._kept, tokens[:-1], strict=False):
            if old != new:
                break
            same += 1
        if same < len(self._kept):
            self._cache.crop(same - len(self._kept))
        ids, cache = torch.tensor([tokens[same:]]), {self._cache_name: self._cache}
        output = self._model(ids, use_cache=True, logits_to_keep=1, **cache)
        self._kept = list(tokens)
        return output.logits[0, -1].float().log_softmax(-1)  # type: ignore[no-any-return]


def load_chat_model(name: str) -> tuple[Any, Any]:
    """Return tokenizer and causal language model in float32; see `LocalModel`."""
    logging.disable_progress_bar()
    source = model_source(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    except UNREADABLE as error:
        said = " ".join(str(error).split())[:200]
        raise BackboneError(
            f"'{source}' cannot be loaded as a causal language model ({said}); give smollm2, a "
            "folder with config.json and weights, a GGUF file, or a name on the Hugging Face hub"
        ) from None
    if not tokenizer.chat_template:
        raise BackboneError(f"'{source}' has no chat template; give an instruction-tuned model")
    return tokenizer, model.eval()


def likeliest(
    paths: Sequence[tuple[int, ...]], log_probs: Callable[[tuple[int, ...]], Tensor]
) -> int:
    """Return the index of the path with the largest sum of log-probabilities, exactly.

    Searches the trie of the paths best first: a sum only falls along a path, so the first whole
    path that is taken is the likeliest, and most of the trie is never asked for.

    Args:
        paths: token sequences, none of which begins another one (end them with the same token).
        log_probs: of all tokens after the beginning of a path.
    """
    whole = {path: index for index, path in enumerate(paths)}
    after: dict[tuple[int, ...], set[int]] = {}
    for path in paths:
        for length, token in enumerate(path):
            after.setdefault(path[:length], set()).add(token)
    heap: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    while True:
        cost, path = heappop(heap)
        if path in whole:
            return whole[path]
        values = log_probs(path)
        for token in after[path]:
            heappush(heap, (cost - float(values[token]), (*path, token)))
