"""The study of results/: commands that the package takes, resuming, tables that are right."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tyro
from langrearrange_baselines.evaluate import EvaluateArgs
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.study import plan, report, run
from langrearrange_baselines.train import parse

from langrearrange.agents import load_rows
from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard import AgentFacts, Plan, evaluate
from langrearrange.leaderboard.groups import BOARD_SPLITS


@pytest.mark.parametrize("entry", plan.ENTRIES, ids=lambda entry: entry.name)
def test_every_command_of_the_study_is_one_the_package_takes(entry: plan.Entry) -> None:
    budget = plan.Budget()
    imitation, ppo, before, after = plan.stages(entry, 7, budget, Path("out"))
    taught = tyro.cli(ImitationConfig, args=list(imitation.command[2:]))
    trained = parse(ppo.command[2:])
    assert (taught.seed, trained.seed) == (7, 7)
    assert taught.control == trained.control == entry.settings.get("control", "none")
    assert taught.backbone == trained.backbone
    assert Path(trained.init_from) == taught.out
    for stage, checkpoint in ((before, taught.out), (after, trained.out)):
        args = tyro.cli(EvaluateArgs, args=list(stage.command[2:]))
        assert (args.checkpoint, args.out) == (checkpoint, stage.done)


@pytest.mark.parametrize("entry", plan.ENTRIES, ids=lambda entry: entry.name)
def test_the_budget_counts_every_step_that_a_run_takes(entry: plan.Entry) -> None:
    budget = plan.Budget()
    imitation, ppo, *_ = plan.stages(entry, 0, budget, Path("out"))
    taught = tyro.cli(ImitationConfig, args=list(imitation.command[2:]))
    trained = parse(ppo.command[2:])
    recorded = tyro.cli(
        ImitationConfig, args=list(plan.demonstrations(budget, Path("out")).command[2:])
    )
    steps = recorded.num_steps + taught.rounds * taught.round_steps
    steps += trained.num_updates * trained.num_envs * trained.num_steps
    given = budget.expert_steps + budget.rounds * budget.round_steps
    assert steps == given + budget.updates * budget.steps_per_update


def test_an_unknown_learner_is_refused_with_the_closest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'llarp'"):
        plan.find(("llrap",))


def stage(name: str, code: str, done: Path) -> plan.Stage:
    return plan.Stage(name, ("-c", code), done)


def test_finished_stages_are_not_run_again_and_a_failed_one_is(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    count = f"open({str(first)!r}, 'a').write('x')"
    fails_once = (
        f"import pathlib, sys; p = pathlib.Path({str(second)!r}); q = p.with_suffix('.tried')\n"
        "sys.exit(q.touch() or 'no') if not q.exists() else p.touch()"
    )
    chain = (stage("a", count, first), stage("b", fails_once, second))
    with pytest.raises(run.StudyError, match=r"b ended with status 1; read .*b\.log"):
        run._chain("it", tmp_path / "home", chain, plan.Budget())
    run._chain("it", tmp_path / "home", chain, plan.Budget())
    assert first.read_text() == "x"
    assert second.exists()
    record = json.loads((tmp_path / "home" / "record.json").read_text())
    assert set(record["stages"]) == {"a", "b"}
    assert record["stages"]["a"]["command"].startswith("python -c")


def test_a_folder_holds_runs_of_one_budget(tmp_path: Path) -> None:
    run._same_budget(run.RunArgs(out=tmp_path))
    with pytest.raises(UsageError, match="another --out"):
        run._same_budget(run.RunArgs(out=tmp_path, budget=plan.Budget(rounds=9)))


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished runs whose policies are agents of the package: traces, records and metrics."""
    folder = tmp_path_factory.mktemp("study")
    sources: dict[str, Any] = {"sources": [open_split(split) for split in BOARD_SPLITS]}
    runs = [("llarp", 0, "random"), ("llarp", 1, "explorer"), ("blind_sweep", 0, "blind_sweep")]
    for name, seed, agent in runs:
        home = folder / name / str(seed)
        (home / "imitation").mkdir(parents=True)
        (home / "ppo" / "checkpoints" / "000016").mkdir(parents=True)
        for file in ("state.json", "weights.safetensors"):
            (home / "ppo" / "checkpoints" / "000016" / file).write_text("{}")
        rows = load_rows(agent, seed=seed)
        facts = AgentFacts(name=name, modality=rows.modality)
        evaluate(rows, facts, Plan(**sources, seed=seed), home / "trace.jsonl.gz")
        record = {"commit": "c0ffee", "stages": {"ppo": {"command": "python", "cpu_s": 60.0}}}
        (home / "record.json").write_text(json.dumps(record))
    return folder


def test_the_report_scores_traces_anew_and_pools_the_seeds(
    study_folder: Path, tmp_path: Path
) -> None:
    report.write(report.ReportArgs(runs=study_folder, out=tmp_path))
    found = json.loads((tmp_path / "runs" / "llarp_1.json").read_text())
    assert found["provenance"]["commit"] == "c0ffee"
    assert len(found["episodes"]) == 1100
    assert found["run"]["datasets"]["train_eval"]["sha256"]
    explorer, random = (
        json.loads((tmp_path / "runs" / f"llarp_{seed}.json").read_text())["splits"]
        for seed in (1, 0)
    )
    both = [run.result for run in report.read_runs(study_folder) if run.name == "llarp"]
    for split in BOARD_SPLITS:
        mean = (explorer[split]["success"]["mean"] + random[split]["success"]["mean"]) / 2
        interval = report.pooled(both, split)
        assert interval.mean == pytest.approx(mean, abs=1e-5)
        assert interval.low <= mean < interval.high
    tables = (tmp_path / "tables.md").read_text()
    assert "| train_eval |" in tables
    assert "| place_two | new_scenes |" in tables
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert (tmp_path / "checkpoints" / "llarp_0" / "weights.safetensors").is_file()


def test_no_finished_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no finished run"):
        report.read_runs(tmp_path)


def test_dry_run_prints_the_commands_and_runs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.run(run.RunArgs(out=tmp_path / "never", dry_run=True, entries=("blank",)))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(plan.REFERENCES) + 4
    assert all(line.startswith("python -m langrearrange") for line in lines)
    assert not (tmp_path / "never").exists()


def test_a_signal_ends_the_commands_too_and_leaves_none_behind(tmp_path: Path) -> None:
    out = tmp_path / "study"
    command = [sys.executable, "-m", "langrearrange_baselines.study.run", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log = out / "demonstrations" / "demonstrations.log"
    while process.poll() is None and not log.exists():
        time.sleep(0.05)
    time.sleep(1.0)  # the command itself has started
    started = [
        int(child)
        for task in Path(f"/proc/{process.pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    assert started
    process.terminate()
    _, complaints = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "again to continue" in complaints
    assert not [child for child in started if Path(f"/proc/{child}").exists()]
