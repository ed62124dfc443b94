"""What a chat model was told and answered, as JSON lines: a file beside a trace, for readers.

Scores never use it. An episode is found by its instruction, since an agent is told no id.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from langrearrange.errors import SubmissionError

SHOWN: Final = 1_000
"""Characters of a message or an answer that a page shows."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request and its answer.

    Attributes:
        instruction: of the episode.
        turn: number of requests in this episode before this one.
        step: number of skills taken before it.
        told: the messages that were new in the request; an image is `[picture]`.
        answer: of the model.
        skills: indices read from it; none if it is bad.
        problem: why it is bad, "" otherwise.
        prompt_tokens, completion_tokens: as the model counts them.
        latency_s: time until the answer, retries included.
        price: of the request, in the unit of the run's prices.
    """

    schema_version: int = 1
    instruction: str
    turn: int
    step: int
    told: str
    answer: str
    skills: tuple[int, ...] = ()
    problem: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0
    price: float = 0.0


def read_transcript(path: Path | str) -> list[Exchange]:
    """Return the exchanges of a transcript, `.jsonl` or `.jsonl.gz`, in order.

    Raises:
        SubmissionError: no such file, or a line that is no exchange; a truncated last line is
            left out, as after a kill.
    """
    try:
        data = Path(path).read_bytes()
        lines = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).split(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        raise SubmissionError(f"{path}: not a readable transcript ({error})") from None
    exchanges = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            exchanges.append(msgspec.json.decode(line, type=Exchange))
        except msgspec.MsgspecError as error:
            raise SubmissionError(
                f"{path}:{number}: not an exchange of a transcript ({error}); give the file that "
                "the chat agent wrote"
            ) from None
    return exchanges


def encode_exchange(exchange: Exchange) -> bytes:
    """Return the line of an exchange."""
    return msgspec.json.encode(exchange) + b"\n"


def said_in(exchanges: list[Exchange]) -> Mapping[str, Mapping[int, str]]:
    """Return instruction -> number of skills taken before -> what was told and answered then.

    Of an episode that was begun more than once, the last time counts.
    """
    said: dict[str, dict[int, str]] = {}
    for exchange in exchanges:
        if exchange.turn == 0:
            said[exchange.instruction] = {}
        steps = said.setdefault(exchange.instruction, {})
        problem = f"\n[{exchange.problem}]" if exchange.problem else ""
        told, answer = exchange.told, exchange.answer[:SHOWN]
        if len(told) > SHOWN:  # the end matters: the task and what is seen
            told = "[...]\n" + told[-SHOWN:].partition("\n")[2]
        before = f"{steps[exchange.step]}\n\n" if exchange.step in steps else ""
        steps[exchange.step] = f"{before}{told}\n\n> {answer}{problem}"
    return said
