"""What the agents need of a language model, and the account of what its answers cost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from langrearrange.agents import AgentRefusalError, RunStoppedError
from langrearrange.leaderboard.transcript import Exchange, encode_exchange, read_transcript

Message = dict[str, Any]
"""`role` and `content`, as in OpenAI's chat completions."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        text: of the answer.
        cut: it reached the limit of tokens.
        prompt_tokens, completion_tokens: as the model counts them.
    """

    text: str
    cut: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ContextTooLongError(AgentRefusalError):
    """The messages exceed what the model can read."""


class ChatModel(Protocol):
    """A model that several agents may ask at the same time."""

    def answer(self, messages: Sequence[Message], timeout_s: float) -> Reply:
        """Return the answer to a conversation.

        Raises:
            ContextTooLongError: the conversation is too long.
            AgentTimeoutError: no answer within `timeout_s`.
            AgentRefusalError: the model does not answer this conversation.
            RunStoppedError: the model cannot be asked at all.
        """

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], timeout_s: float
    ) -> tuple[int, Reply]:
        """Return the index of the likeliest option as the answer; raises as `answer` does."""

    def close(self) -> None:
        """Free what the model holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices per million tokens and the most a run may use; 0: no limit.

    Attributes:
        prompt, completion: price per million tokens.
        max_tokens: of prompts and answers together.
        max_price: of the run.
    """

    prompt: float = 0.0
    completion: float = 0.0
    max_tokens: int = 0
    max_price: float = 0.0

    def of(self, reply: Reply) -> float:
        """Return the price of an answer."""
        tokens = (reply.prompt_tokens, self.prompt), (reply.completion_tokens, self.completion)
        return sum(count * price for count, price in tokens) / 1e6


@dataclass(slots=True)
class Account:
    """Writes the transcript of a run and stops the run when its budget is spent.

    What an earlier part of the same run has spent counts.

    Args:
        path: the transcript, `NAME.jsonl`; continued if it exists.
        prices: prices and budget.

    Raises:
        SubmissionError: the file is no transcript.
    """

    path: Path
    prices: Prices = Prices()
    requests: int = 0
    tokens: int = 0
    price: float = 0.0
    seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.path.exists():
            exchanges = read_transcript(self.path)
            self.path.write_bytes(b"".join(map(encode_exchange, exchanges)))
            for exchange in exchanges:
                self._count(exchange)
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def check(self) -> None:
        """Raise RunStoppedError if the budget is spent."""
        limits = self.prices
        spent = ""
        if 0 < limits.max_tokens <= self.tokens:
            spent = f"{self.tokens} tokens of {limits.max_tokens}; raise --max-tokens"
        if 0 < limits.max_price <= self.price:
            spent = f"{self.price:.4f} of {limits.max_price:g}; raise --max-price"
        if spent:
            raise RunStoppedError(f"the budget is spent: {spent} and run the same command again")

    def add(self, exchange: Exchange) -> None:
        """Append an exchange to the transcript."""
        with self._lock:
            with self.path.open("ab") as file:
                file.write(encode_exchange(exchange))
            self._count(exchange)

    def summary(self) -> str:
        """Return one line: requests, tokens, price, seconds a request."""
        each = self.seconds / max(1, self.requests)
        price = f", price {self.price:.4f}" if self.prices.prompt or self.prices.completion else ""
        return f"{self.requests} requests, {self.tokens} tokens{price}, {each:.2f} s a request"

    def _count(self, exchange: Exchange) -> None:
        self.requests += 1
        self.tokens += exchange.prompt_tokens + exchange.completion_tokens
        self.price += exchange.price
        self.seconds += exchange.latency_s
