"""A written split depends on its spec alone, survives a kill and says what to do when it cannot."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from langrearrange.dataset import open_dataset
from langrearrange.errors import DatasetError, GenerationError, UsageError
from langrearrange.generator import (
    SplitSpec,
    check_dataset,
    generate_split,
    load_spec,
    make_episode,
    parallel,
)

SPEC = SplitSpec(name="small", templates="train", houses="validation", num_episodes=150)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "CHUNK", 32)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("reference")
    return generate_split(SPEC, folder / "set", workers=1).content_sha256


class Backwards(ThreadPoolExecutor):
    """Runs tasks when all are submitted, the last one first."""

    def __init__(self) -> None:
        super().__init__(1)
        self._tasks: list[tuple[Future[Any], Any, Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._tasks.append((future, fn, args))
        if len(self._tasks) == 5:
            for waiting, task, values in reversed(self._tasks):
                waiting.set_result(task(*values))
        return future


def test_any_executor_and_any_order_give_one_hash(tmp_path: Path, reference: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        assert generate_split(SPEC, tmp_path / "a", executor=threads).content_sha256 == reference
    with Backwards() as backwards:
        assert generate_split(SPEC, tmp_path / "b", executor=backwards).content_sha256 == reference


@pytest.mark.slow
def test_one_and_four_processes_give_one_hash(tmp_path: Path, reference: str) -> None:
    assert generate_split(SPEC, tmp_path / "a", workers=4).content_sha256 == reference


def test_written_split_holds_the_function_s_episodes_and_passes_its_check(tmp_path: Path) -> None:
    manifest = generate_split(SPEC, tmp_path / "set", workers=1)
    data = open_dataset(tmp_path / "set")
    for index in (0, 1, 77, 149):
        assert data[f"small/{index:06d}"] == make_episode(SPEC, index)
    assert manifest.ids is None
    assert sum(manifest.counts["house"].values()) == 150
    assert [path.name for path in sorted((tmp_path / "set").iterdir())] == [
        "manifest.json",
        "small.jsonl.gz",
    ]
    report = check_dataset(tmp_path / "set")
    assert report.passed, report.counts
    assert report.content_sha256 == manifest.content_sha256


def test_a_prefix_is_a_prefix(tmp_path: Path) -> None:
    whole = [make_episode(SPEC, index) for index in range(40)]
    generate_split(load_spec_with(40), tmp_path / "set", workers=1)
    assert sorted(open_dataset(tmp_path / "set"), key=lambda e: e.id) == whole


def load_spec_with(count: int) -> SplitSpec:
    return SplitSpec(name="small", templates="train", houses="validation", num_episodes=count)


def test_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    genuine = parallel.make_chunk

    def failing(spec: SplitSpec, start: int, stop: int) -> bytes:
        if start == 96 and 96 not in made:
            made.append(start)
            raise KeyboardInterrupt
        made.append(start)
        return genuine(spec, start, stop)

    monkeypatch.setattr(parallel, "make_chunk", failing)
    with pytest.raises(KeyboardInterrupt):
        generate_split(SPEC, tmp_path / "set", workers=1)
    with pytest.raises(DatasetError, match="run the same command again"):
        open_dataset(tmp_path / "set")
    assert generate_split(SPEC, tmp_path / "set", workers=1).content_sha256 == reference
    assert made == [0, 32, 64, 96, 96, 128]


def test_chunks_of_another_spec_are_not_used(tmp_path: Path) -> None:
    other = load_spec_with(40)
    (tmp_path / "set" / "unfinished-0123").mkdir(parents=True)
    (tmp_path / "set" / "unfinished-0123" / "0000000.gz").write_bytes(b"old")
    generate_split(other, tmp_path / "set", workers=1)
    assert check_dataset(tmp_path / "set").passed
    assert not (tmp_path / "set" / "unfinished-0123").exists()


def test_damaged_chunk_is_removed_and_made_anew(
    tmp_path: Path, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "_assemble", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate_split(SPEC, tmp_path / "set", workers=1)
    monkeypatch.undo()
    monkeypatch.setattr(parallel, "CHUNK", 32)
    (chunk,) = (tmp_path / "set").glob("unfinished-*/0000064.gz")
    chunk.write_bytes(chunk.read_bytes()[:-9])
    with pytest.raises(DatasetError, match=r"0000064.gz: this unfinished chunk is damaged"):
        generate_split(SPEC, tmp_path / "set", workers=1)
    assert generate_split(SPEC, tmp_path / "set", workers=1).content_sha256 == reference


def test_full_disk_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parallel, "replace_file", full)
    with pytest.raises(DatasetError, match=r"disk is full.*free some space"):
        generate_split(SPEC, tmp_path / "set", workers=1)


def test_lost_worker_says_what_to_do(tmp_path: Path) -> None:
    class Losing(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("a process was killed"))
            return future

    with Losing(1) as pool, pytest.raises(GenerationError, match=r"worker process was lost.*fewer"):
        generate_split(SPEC, tmp_path / "set", executor=pool)


def test_finished_set_is_kept(tmp_path: Path) -> None:
    generate_split(load_spec_with(5), tmp_path / "set", workers=1)
    with pytest.raises(UsageError, match="already holds"):
        generate_split(SPEC, tmp_path / "set", workers=1)
    generate_split(load_spec_with(6), tmp_path / "set", workers=1, overwrite=True)
    assert len(open_dataset(tmp_path / "set")) == 6


def test_sealed_set_is_committed_and_opens_with_its_key_only(tmp_path: Path) -> None:
    key = "a secret of enough length"
    spec = SplitSpec(name="sealed", templates="context", num_episodes=20, key=key)
    manifest = generate_split(spec, tmp_path / "set", workers=1)
    assert key not in (tmp_path / "set" / "manifest.json").read_text()
    assert len(manifest.commitment) == 64
    assert check_dataset(tmp_path / "set").passed
    assert check_dataset(tmp_path / "set", key=key).passed
    with pytest.raises(UsageError, match="does not open"):
        check_dataset(tmp_path / "set", key=key + "!")
    public = {(e.house, e.objects, e.instruction) for e in map_published("context")}
    assert not public & {
        (e.house, e.objects, e.instruction) for e in open_dataset(tmp_path / "set")
    }


def map_published(split: str) -> list[Any]:
    return [make_episode(load_spec(split), index) for index in range(100)]


@pytest.mark.slow
def test_killed_with_minus_9_it_resumes_with_the_same_hash(tmp_path: Path) -> None:
    code = (
        "from langrearrange.generator import *\n"
        "if __name__ == '__main__':\n"
        "    spec = load_spec('train', num_episodes=6000)\n"
        f"    generate_split(spec, {str(tmp_path / 'set')!r}, workers=2)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    run = subprocess.Popen([sys.executable, script], start_new_session=True)
    while not list((tmp_path / "set").glob("unfinished-*/*.gz")):
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not (tmp_path / "set" / "manifest.json").exists()
    kept = len(list((tmp_path / "set").glob("unfinished-*/*.gz")))
    assert kept >= 1
    subprocess.run([sys.executable, script], check=True)
    spec = load_spec("train", num_episodes=6000)
    manifest = generate_split(spec, tmp_path / "again", workers=1)
    assert open_dataset(tmp_path / "set").manifest.content_sha256 == manifest.content_sha256
