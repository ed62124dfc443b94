"""Fuzzed submissions: refused in one sentence or scored as what was really done; never a crash."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from pathlib import Path

import pytest
from handmade import HANDMADE, traces_of
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import EpisodeList
from langrearrange.errors import ScoreError, SubmissionError
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Trace,
    build_page,
    header_of,
    read_trace,
    report_json,
    score,
)
from langrearrange.leaderboard.trace import encode_line

SOURCE = EpisodeList(HANDMADE)
HEADER = header_of(AgentFacts(name="somebody", modality="state"), Plan(sources=[SOURCE]))
LINES = [encode_line(HEADER), *map(encode_line, traces_of("random", HANDMADE).values())]
TRUE_SUCCESS = score(
    Trace(HEADER, tuple(traces_of("random", HANDMADE).values())), lambda split: SOURCE
).splits["context"].success.mean  # fmt: skip

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-2, 80), st.floats(), st.text(max_size=30),
    st.lists(st.integers(-1, 71), max_size=40), st.dictionaries(st.text(max_size=5), st.integers()),
    st.sampled_from(["\u0000", "../../x", "context/000000", "c\u03bfntext/000000", "1" * 3000]),
)  # fmt: skip


def judged(path: Path) -> float | None:
    """Return the success a file is given, None if it is refused."""
    try:
        result = score(read_trace(path), lambda split: SOURCE)
    except (SubmissionError, ScoreError):
        return None
    json.dumps(report_json(result), allow_nan=False)
    build_page(result, lambda i: SOURCE.get(SOURCE.index_of(i)))
    return result.splits["context"].success.mean


def sealed(path: Path, lines: list[bytes]) -> None:
    """Write lines under a right footer, as a forger would."""
    body = b"".join(lines)
    footer = {"kind": "footer", "episodes": len(lines) - 1}
    footer["sha256"] = hashlib.sha256(body).hexdigest()
    path.write_bytes(gzip.compress(body + json.dumps(footer).encode() + b"\n", 1, mtime=0))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "run.jsonl.gz"


@given(st.integers(0, 4), st.data())
def test_any_field_may_hold_anything(path: Path, number: int, data: st.DataObject) -> None:
    line = json.loads(LINES[number])
    field = data.draw(st.sampled_from([*line, "extra"]))
    if data.draw(st.booleans()):
        line[field] = data.draw(VALUES)
    else:
        line.pop(field, None)
    lines = [*LINES[:number], json.dumps(line).encode() + b"\n", *LINES[number + 1 :]]
    sealed(path, lines)
    given_success = judged(path)
    assert given_success is None or given_success <= TRUE_SUCCESS


@given(st.permutations(range(1, 5)), st.integers(0, 4))
def test_lines_may_be_shuffled_and_dropped(path: Path, order: list[int], kept: int) -> None:
    sealed(path, [LINES[0], *(LINES[i] for i in order[:kept])])
    given_success = judged(path)
    assert given_success is not None
    assert given_success <= TRUE_SUCCESS


@given(st.binary(max_size=400))
def test_any_bytes_may_be_a_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert judged(path) is None
    path.write_bytes(gzip.compress(content, mtime=0))
    assert judged(path) is None


@pytest.mark.parametrize("seed", range(60))
def test_bytes_may_change_anywhere_inside(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    lines = [bytearray(line) for line in LINES]
    for _ in range(rng.randint(1, 4)):
        line = rng.choice(lines)
        line[rng.randrange(len(line) - 1)] = rng.randrange(256)
    sealed(path, [bytes(line) for line in lines])
    given_success = judged(path)
    assert given_success is None or given_success <= TRUE_SUCCESS
