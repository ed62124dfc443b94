"""Learning curves of several runs in one picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from langrearrange_baselines.study.plot import PlotArgs, draw, points

from langrearrange.errors import UsageError


def run_with(folder: Path, successes: list[float]) -> Path:
    folder.mkdir()
    records = [
        {"update": i + 1, "env_steps": 10 * (i + 1), "success_by_template": {"put": s, "find": 1.0}}
        for i, s in enumerate(successes)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return folder


def test_a_run_that_goes_on_is_drawn_behind_the_first(tmp_path: Path) -> None:
    first, second = run_with(tmp_path / "a", [0.0, 0.2, 0.4]), run_with(tmp_path / "b", [0.6])
    found = list(points([first, second], updates=2))
    assert [x for x, _ in found] == [20, 30, 40]
    assert [y for _, y in found] == pytest.approx([0.55, 0.7, 0.8])
    out = draw(
        PlotArgs(lines=(f"seed 0={first}+{second}", f"seed 1={first}"), out=tmp_path / "p.png")
    )
    assert out.stat().st_size > 1000


def test_a_line_needs_a_label_and_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a line is label=run"):
        PlotArgs(lines=("out/a",), out=tmp_path / "p.png")


def test_a_folder_without_a_run_is_one_sentence(tmp_path: Path) -> None:
    args = PlotArgs(lines=(f"a={tmp_path / 'nowhere'}",), out=tmp_path / "p.png")
    with pytest.raises(UsageError, match="give the folder of a run"):
        draw(args)
    assert not list(tmp_path.iterdir())
