"""A chat model behind any OpenAI-compatible address: vLLM, llama.cpp, Ollama or a service.

The `openai` package does the requests: it retries with exponential back-off, obeys Retry-After and
tells errors apart. The key is read from the environment and never stored or shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Final

from langrearrange.agents import AgentRefusalError, AgentTimeoutError, RunStoppedError
from langrearrange.errors import MissingExtraError

from .model import ContextTooLongError, Message, Reply

TOP: Final = 20
"""Likeliest tokens asked for at each position; more are refused by most endpoints."""


class Endpoint:
    """Asks a model at an address; one instance serves all threads.

    Args:
        base_url: ends in `/v1` for most servers; "" for what OPENAI_BASE_URL says.
        model: its name there.
        key_variable: environment variable with the key; servers of your own need none.
        max_answer_tokens: an answer is cut off there.
        temperature: None leaves it to the endpoint; some models accept nothing else.
        retries: after an error that may pass.

    Raises:
        MissingExtraError: the `openai` package is not installed.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        key_variable: str = "OPENAI_API_KEY",
        max_answer_tokens: int = 512,
        temperature: float | None = 0.0,
        retries: int = 5,
    ) -> None:
        try:
            import openai
        except ImportError:
            raise MissingExtraError("an endpoint's chat model", "chat", "openai") from None
        self._openai, self._model, self._variable = openai, model, key_variable
        self._key, self._retries = os.environ.get(key_variable, ""), retries
        self._settings: dict[str, Any] = {"max_tokens": max_answer_tokens}
        if temperature is not None:
            self._settings["temperature"] = temperature
        self._client = openai.OpenAI(
            base_url=base_url or None, api_key=self._key or "none", max_retries=retries
        )
        self.url = str(self._client.base_url)

    def answer(self, messages: Sequence[Message], timeout_s: float) -> Reply:
        """Return the answer to a conversation; see `ChatModel`."""
        choice, usage = self._ask(messages, timeout_s)
        return Reply(
            choice.message.content or "", choice.finish_reason == "length", *_tokens(usage)
        )

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], timeout_s: float
    ) -> tuple[int, Reply]:
        """Return the likeliest of some short options, such as numbers; see `ChatModel`.

        The model answers with up to three tokens. An option counts by the log-probability of its
        token, or of its two tokens if the first is the one that the model took.
        """
        more = {"logprobs": True, "top_logprobs": TOP, "max_tokens": 3}
        choice, usage = self._ask(messages, timeout_s, more)
        content = choice.logprobs and choice.logprobs.content
        if not content:
            raise RunStoppedError(
                f"{self.url} gives no log-probabilities for '{self._model}'; use --choice answer"
            )
        scores = _scores([[(t.token, t.logprob) for t in at.top_logprobs] for at in content])
        known = {option: scores[option] for option in options if option in scores}
        if not known:
            raise AgentRefusalError(
                f"none of the {len(options)} options is among the likeliest answers: "
                f"{choice.message.content!r:.100}",
                "unknown",
            )
        best = max(known, key=known.__getitem__)
        return list(options).index(best), Reply(best, False, *_tokens(usage))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(
        self, messages: Sequence[Message], timeout_s: float, more: dict[str, Any] | None = None
    ) -> tuple[Any, Any]:
        settings = self._settings | (more or {})
        told: Any = messages
        try:
            completion = self._client.chat.completions.create(
                model=self._model, messages=told, timeout=timeout_s, **settings
            )
        except self._openai.OpenAIError as error:
            raise self._explained(error, timeout_s) from None
        except ValueError as error:  # the body is not JSON
            raise RunStoppedError(f"{self.url} does not answer in JSON ({error})") from None
        choices = getattr(completion, "choices", None)
        if not choices or choices[0].message is None:
            return _NOTHING, None
        return choices[0], completion.usage

    def _explained(self, error: Exception, timeout_s: float) -> Exception:
        """Return an error that says what to do; the key is removed from its message."""
        openai, tries = self._openai, self._retries + 1
        body = getattr(error, "body", None)
        said = str(body.get("message") if isinstance(body, dict) else error)
        if self._key:
            said = said.replace(self._key, "***")
        said = " ".join(said.split())[:300]
        status = getattr(error, "status_code", None)
        if isinstance(error, openai.APITimeoutError):
            return AgentTimeoutError(
                f"no answer within {timeout_s:.3g} s in {tries} tries; raise --step-timeout-s"
            )
        if isinstance(error, openai.APIConnectionError):
            return RunStoppedError(
                f"no endpoint answers at {self.url} in {tries} tries ({said}); start it or correct "
                "--base-url, then run the same command again"
            )
        if status in (401, 403):
            return RunStoppedError(
                f"{self.url} refuses the key ({said}); set the environment variable "
                f"{self._variable}, or name another with --key-variable"
            )
        if status == 404:
            return RunStoppedError(
                f"{self.url} has no model '{self._model}' ({said}); correct --model or --base-url"
            )
        if status == 429 or status is None or status >= 500:
            return RunStoppedError(
                f"{self.url} gave no answer in {tries} tries (status {status}: {said}); lower "
                "--concurrency or wait, then run the same command again"
            )
        if "context" in said.lower() or "maximum" in said.lower() or "too long" in said.lower():
            return ContextTooLongError(f"longer than the model's context ({said})", "context")
        return AgentRefusalError(f"{self.url} refuses the request ({said})", "rejected")


class _Nothing:
    """Stands for the choice of a completion that has none."""

    class message:
        content = ""

    finish_reason, logprobs = "stop", None


_NOTHING: Final = _Nothing()


def _tokens(usage: Any) -> tuple[int, int]:
    return (usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else (0, 0)


def _scores(top: Sequence[Iterable[tuple[str, float]]]) -> dict[str, float]:
    """Return text -> log-probability of the likeliest answers of one and of two tokens.

    Args:
        top: for each position the likeliest tokens, the one that was taken first, and their
            log-probabilities.
    """
    first = [(token.strip(), value) for token, value in top[0]]
    scores: dict[str, float] = {}
    for text, value in first:
        scores[text] = max(value, scores.get(text, value))
    if len(top) > 1 and first:
        taken, base = max(first, key=lambda entry: entry[1])
        for token, value in top[1]:
            text = taken + token.strip()
            scores[text] = max(base + value, scores.get(text, base + value))
    return scores
