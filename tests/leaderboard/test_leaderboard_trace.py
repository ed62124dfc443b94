"""Traces: written episode by episode, resumed after a kill, rejected when truncated or altered."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from handmade import HANDMADE, traces_of
from msgspec.structs import replace

from langrearrange.errors import SubmissionError, UsageError
from langrearrange.leaderboard import (
    AgentFacts,
    Conditions,
    DatasetFacts,
    EpisodeTrace,
    Header,
    TraceWriter,
    read_trace,
    trace_reader,
)
from langrearrange.leaderboard import trace as trace_module

HEADER = Header(
    package_version="0.1.0",
    agent=AgentFacts(name="oracle", modality="state", privileged=True),
    datasets={"context": DatasetFacts(num_episodes=4, sha256="0" * 64)},
)
ORDER = [e.id for e in HANDMADE]
TRACES = traces_of("oracle", HANDMADE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl.gz"


def write(
    path: Path, ids: list[str] = ORDER, header: Header = HEADER, order: list[str] = ORDER
) -> Path:
    writer = TraceWriter(path, header)
    for episode_id in ids:
        if episode_id not in writer.done:
            writer.write(TRACES[episode_id])
    return writer.finish(order)


def test_what_is_written_is_read(path: Path) -> None:
    read = read_trace(write(path))
    assert read.header == HEADER
    assert read.episodes == tuple(TRACES[episode_id] for episode_id in ORDER)
    assert not path.with_name(path.name + ".part").exists()


def test_the_file_does_not_depend_on_the_order_of_playing(path: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.jsonl.gz", ORDER[::-1])
    assert write(path).read_bytes() == other.read_bytes()


@pytest.mark.parametrize("torn", [0, 1, 40])
def test_a_killed_run_goes_on_and_ends_with_the_same_file(
    path: Path, tmp_path: Path, torn: int
) -> None:
    undisturbed = read_trace(write(tmp_path / "undisturbed.jsonl.gz"))
    writer = TraceWriter(path, HEADER)
    writer.write(TRACES[ORDER[0]])
    writer.write(TRACES[ORDER[1]])
    writer.close()
    part = path.with_name(path.name + ".part")
    part.write_bytes(part.read_bytes()[: -torn or None])
    resumed = TraceWriter(path, HEADER)
    assert list(resumed.done) == ORDER[: 2 if torn == 0 else 1]
    resumed.close()
    finished = read_trace(write(path))
    assert finished.episodes == undisturbed.episodes
    played = replace(undisturbed.header.played, resumes=2)  # the one above, and to finish
    assert finished.header == replace(undisturbed.header, played=played)


def test_what_was_begun_and_not_ended_is_marked_as_tried_again(path: Path) -> None:
    for _ in range(3):
        writer = TraceWriter(path, HEADER)
        writer.start(ORDER[0])
        writer.close()
    writer = TraceWriter(path, HEADER)
    for name in ORDER:
        writer.start(name)
        assert writer.write(TRACES[name]).attempts == (4 if name == ORDER[0] else 1)
    finished = read_trace(writer.finish(ORDER))
    assert [line.attempts for line in finished.episodes] == [4, 1, 1, 1]
    assert finished.header.played.resumes == 3


def test_a_run_goes_on_with_other_workers_and_tells_the_most(path: Path) -> None:
    for workers in (8, 2):
        played = Conditions(workers=workers)
        writer = TraceWriter(path, replace(HEADER, played=played))
        writer.close()
    for name in ORDER:
        writer = TraceWriter(path, HEADER)
        writer.write(TRACES[name])
        writer.close()
    assert read_trace(write(path)).header.played.workers == 8
    other = path.with_name("other.jsonl.gz")
    TraceWriter(other, HEADER).close()
    isolated = Conditions(isolation="remote")
    with pytest.raises(UsageError, match="other settings"):
        TraceWriter(other, replace(HEADER, played=isolated))


def test_a_header_torn_by_a_kill_begins_anew(path: Path) -> None:
    TraceWriter(path, HEADER).close()
    part = path.with_name(path.name + ".part")
    part.write_bytes(part.read_bytes()[:30])
    assert len(read_trace(write(path)).episodes) == 4


def test_neither_a_finished_nor_another_runs_partial_file_is_overwritten(path: Path) -> None:
    other = Header(package_version="0.1.0", agent=HEADER.agent, datasets={})
    TraceWriter(path, other).close()
    with pytest.raises(UsageError, match="other settings"):
        TraceWriter(path, HEADER)
    TraceWriter(path, HEADER, force=True).close()
    write(path)
    with pytest.raises(UsageError, match="--force"):
        TraceWriter(path, HEADER)


def test_a_header_nobody_could_read_is_not_begun(path: Path) -> None:
    agent = msgspec.structs.replace(HEADER.agent, name="x" * 101)
    with pytest.raises(SubmissionError, match="the run's header"):
        TraceWriter(path, msgspec.structs.replace(HEADER, agent=agent))
    assert not path.with_name(path.name + ".part").exists()


def test_a_run_is_not_finished_with_episodes_missing(path: Path) -> None:
    with pytest.raises(SubmissionError, match="1 episodes were not played"):
        write(path, ORDER[:3])


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def sealed(path: Path, lines: list[bytes]) -> None:
    """Write lines with a right footer."""
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    footer = f'{{"kind":"footer","episodes":{len(lines) - 1},"sha256":"{digest}"}}\n'
    path.write_bytes(gzip.compress(b"".join(lines) + footer.encode(), mtime=0))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: lines[:-1], "not finished"),
        (lambda lines: [], "not finished"),
        (lambda lines: lines[1:], "one header"),
        (lambda lines: [lines[0], *lines], "one header"),
        (lambda lines: [*lines, lines[1]], "after the footer"),
        (lambda lines: [lines[0], lines[2], *lines[2:]], "altered after the run"),
        (lambda lines: [*lines[:2], *lines[3:]], "altered after the run"),
        (lambda lines: [lines[0], b"{}\n", *lines[2:]], "not a line of a trace"),
        (lambda lines: [lines[0], b"\xff\xfe\n", *lines[2:]], "not a line of a trace"),
        (lambda lines: [lines[0], b"[" * 1_000 + b"\n", *lines[2:]], "not a line of a trace"),
        (lambda lines: [b"[" * 60_000, *lines[1:]], "not a line of a trace"),
        (lambda lines: [lines[0], b"1" * 70_000, *lines[2:]], "longer than"),
        (
            lambda lines: [lines[0].replace(b'"schema_version":2', b'"schema_version":9')],
            "schema version 9.*release that wrote it",
        ),
        (
            lambda lines: [lines[0].replace(b'"schema_version":2', b'"schema_version":1,"new":1')],
            "schema version 1.*release that wrote it",
        ),
    ],
)
def test_torn_and_altered_files_are_refused_with_the_line(
    path: Path, damage: Callable[..., Any], message: str
) -> None:
    lines = lines_of(write(path))
    path.write_bytes(gzip.compress(b"".join(damage(lines)), mtime=0))
    with pytest.raises(SubmissionError, match=message):
        read_trace(path)


@pytest.mark.parametrize("size", [0, 1, 20, 100, -1, -9])
def test_a_file_cut_anywhere_is_refused(path: Path, size: int) -> None:
    whole = write(path).read_bytes()
    path.write_bytes(whole[:size])
    with pytest.raises(SubmissionError):
        read_trace(path)


def test_every_flipped_byte_is_noticed_or_harmless(path: Path) -> None:
    whole = write(path).read_bytes()
    expected = read_trace(path)
    for position in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[position] ^= 0x10
        path.write_bytes(flipped)
        try:
            assert read_trace(path) == expected  # the gzip header's own clock and name
        except SubmissionError:
            continue


@pytest.mark.parametrize(
    "action", ["true", "1.5", '"3"', "NaN", "null", "[1]", "1e400", "100000000000000000000"]
)
def test_actions_that_are_no_integers_are_refused(path: Path, action: str) -> None:
    lines = lines_of(write(path))
    episode = f'{{"kind":"episode","id":"context/000000","actions":[{action}]}}\n'.encode()
    sealed(path, [lines[0], episode])
    with pytest.raises(SubmissionError):
        read_trace(path)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 101,
        "red\x1b[31m",
        "two\nlines",
        "\x00",
        " ",
        "me ",
        "\u202eme",
        "\u200b",
        "exp\u043erer",
    ],
)
def test_names_that_could_disturb_a_table_are_refused(path: Path, name: str) -> None:
    agent = msgspec.structs.replace(HEADER.agent, name=name)
    lines = lines_of(write(path))
    sealed(
        path, [trace_module.encode_line(msgspec.structs.replace(HEADER, agent=agent)), *lines[1:-1]]
    )
    with pytest.raises(SubmissionError, match="not a line of a trace"):
        read_trace(path)


def test_a_zip_bomb_is_refused_before_it_unfolds(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        for _ in range(200):
            file.write(b"0" * 1_000_000)
    with pytest.raises(SubmissionError, match="longer than"):
        read_trace(path)


def test_files_too_large_and_files_that_are_not_there_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SubmissionError, match="no such file"):
        read_trace(path)
    write(path)
    monkeypatch.setattr(trace_reader, "MAX_BYTES", 100)
    with pytest.raises(SubmissionError, match="larger than"):
        read_trace(path)


def test_endless_episodes_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(write(path))
    sealed(path, [*lines[:5], lines[1]])
    with pytest.raises(SubmissionError, match="more episodes than the header declares"):
        read_trace(path)
    write(path := path.with_name("many.jsonl.gz"))
    monkeypatch.setattr(trace_reader, "MAX_EPISODES", 3)
    with pytest.raises(SubmissionError, match="more episodes than"):
        read_trace(path)
    monkeypatch.setattr(trace_reader, "MAX_UNPACKED", 1_200)
    with pytest.raises(SubmissionError, match="MiB in all"):
        read_trace(path)


@pytest.mark.parametrize(("beyond", "words"), [(1, "larger than 64 MiB"), (0, "")])
def test_a_file_of_64_mib_is_opened_and_a_larger_one_is_not(
    path: Path, beyond: int, words: str
) -> None:
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + beyond)
    with pytest.raises(SubmissionError) as caught:
        read_trace(path)
    assert ("larger than" in str(caught.value)) == bool(words)
    assert words in str(caught.value)


def test_the_limits_of_a_trace_are_as_told(path: Path) -> None:
    limits = (trace_reader.MAX_HEADER, trace_module.MAX_EPISODES, trace_reader.MAX_BYTES)
    assert limits == (65_536, 200_000, 64 * 1024 * 1024)
    assert (trace_module.SCHEMA_VERSION, trace_module.MAX_ACTIONS) == (2, 1_000)
    assert (HEADER.max_line, HEADER.num_episodes) == (1104, 4)
    lines = lines_of(write(path, header=replace(HEADER, horizon=1_000)))
    long = trace_module.encode_line(EpisodeTrace(id=ORDER[0], actions=(1,) * 1000))
    sealed(path, [lines[0], long])
    assert read_trace(path).episodes[0].actions == (1,) * 1000


def test_a_list_of_actions_without_end_is_refused(path: Path) -> None:
    lines = lines_of(write(path, header=replace(HEADER, horizon=1_000)))
    long = trace_module.encode_line(EpisodeTrace(id=ORDER[0], actions=(1,) * 1001))
    sealed(path, [lines[0], long])
    with pytest.raises(SubmissionError, match="length <= 1000"):
        read_trace(path)


def test_lines_of_empty_outcomes_are_refused_before_they_are_paid_for(path: Path) -> None:
    lines = lines_of(write(path))
    outcomes = ",".join(['""'] * 21_000)
    many = [
        f'{{"kind":"episode","id":"context/{i:06d}","actions":[],"outcomes":[{outcomes}]}}\n'
        for i in range(1_000)
    ]
    sealed(path, [lines[0], *(line.encode() for line in many)])
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(SubmissionError, match=r"gz:2: a line longer than 1104 bytes"):
        read_trace(path)
    assert time.process_time() - began < 1.0
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("secret", ["\x1b[31mred", "\u202eder", "\x07"])
@pytest.mark.parametrize(
    "field", ["package_version", "protocol", "kind", "sha256", "split", "note", "key", "perception"]
)
def test_nothing_of_a_header_can_command_a_terminal(path: Path, field: str, secret: str) -> None:
    lines = lines_of(write(path))
    header = json.loads(lines[0])
    if field in ("note", "perception"):
        header["agent"][field] = secret
    elif field == "sha256":
        header["datasets"]["context"]["sha256"] = secret
    elif field == "split":
        header["datasets"][secret] = header["datasets"].pop("context")
    else:
        header[secret if field == "key" else field] = secret
    sealed(path, [json.dumps(header, ensure_ascii=False).encode() + b"\n", *lines[1:-1]])
    with pytest.raises(SubmissionError) as caught:
        read_trace(path)
    assert str(caught.value).isprintable()
