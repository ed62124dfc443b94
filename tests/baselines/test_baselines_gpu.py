"""What runs on a GPU is rehearsed on the CPU: every part, resuming, and what it reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from langrearrange_baselines.study import gpu

from langrearrange.errors import UsageError


def test_every_part_is_rehearsed_and_nothing_is_done_twice(tmp_path: Path) -> None:
    args = gpu.GpuArgs(out=tmp_path, device="cpu", small=True, backbone="tiny", render_threads=1)
    told = gpu.run(args)
    assert told.endswith("all is done"), told
    names = [part.name for part in gpu.parts_of(args)]
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in names}
    assert names == ["invariants", "throughput_2", "throughput_4", "imitate", "train", "score"]
    assert found["invariants"]["first_ratio_deviation"] <= 1e-5
    assert found["invariants"]["rollout_ratio_deviation"] <= 2e-2
    assert 0 < found["throughput_4"]["all_in_per_s"] < found["throughput_4"]["rollout_per_s"]
    assert Path(found["score"]["trace"]).is_file()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert gpu.run(args) == told
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_call_without_time_does_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    args = gpu.GpuArgs(out=tmp_path, device="cpu", small=True, minutes=0)
    assert gpu.run(args) == "not all is done: give the same command again"
    assert not list(tmp_path.glob("*.json"))


def test_a_machine_without_a_gpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="device 'cuda"):
        gpu.run(gpu.GpuArgs(out=tmp_path, device="cuda:99"))
