"""The studies: commands that the package takes, resuming, tables and plots that are right."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tyro
from langrearrange_baselines.compare import CompareArgs
from langrearrange_baselines.evaluate import EvaluateArgs
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.lstm.text import load_text_encoder
from langrearrange_baselines.study import (
    depth,
    figures,
    lift,
    pairs,
    paper,
    plan,
    report,
    run,
    studies,
)
from langrearrange_baselines.study.__main__ import ListArgs, listing, main
from langrearrange_baselines.train import parse

from langrearrange.agents import load_rows
from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard import AgentFacts, Plan, evaluate
from langrearrange.leaderboard.groups import BOARD_SPLITS, GROUPS
from langrearrange.leaderboard.score import score_trace
from langrearrange.leaderboard.statistics import mean_ci

MAIN = studies.find_study("main")


def parsed(stage: plan.Stage, settings: Any) -> Any:
    return tyro.cli(settings, args=list(stage.command[2:]))


@pytest.mark.parametrize("arm", studies.ARMS, ids=lambda arm: arm.name)
def test_every_command_of_a_study_is_one_the_package_takes(arm: plan.Arm) -> None:
    chain = {stage.name: stage for stage in plan.stages(MAIN, arm, 7, Path("out"))}
    for updates in arm.budget.updates:
        trained = parse(chain[f"ppo_{updates}"].command[2:])
        assert (trained.seed, trained.num_updates) == (7, updates)
        assert trained.control == arm.settings.get("control", "none")
        scored = parsed(chain[f"trace_{updates}"], EvaluateArgs)
        assert (scored.checkpoint, scored.encoder) == (trained.out, arm.played_encoder)
        steps = trained.num_updates * trained.num_envs * trained.num_steps
    assert steps == arm.budget.ppo_steps
    assert bool(trained.init_from) == arm.imitates == ("imitation" in chain)
    if arm.imitates:
        taught = parsed(chain["imitation"], ImitationConfig)
        assert Path(trained.init_from) == taught.out
        assert (taught.backbone, taught.layers) == (trained.backbone, trained.layers)
        assert parsed(chain["lift"], CompareArgs).runs == (taught.out, trained.out)


def test_the_paper_s_arms_of_reinforcement_learning_alone_have_no_mask() -> None:
    [alone] = studies.find_arms(MAIN, ("rl_alone",))
    trained = parse(plan.stages(MAIN, alone, 0, Path("out"))[0].command[2:])
    assert not trained.mask_invalid
    assert trained.layers >= 6


def test_the_main_study_stays_within_its_cap() -> None:
    assert sum(arm.core_hours * len(arm.seeds) for arm in MAIN.arms) <= 24


def test_arms_of_one_name_are_the_same_in_all_studies() -> None:
    for study in studies.STUDIES:
        assert all(arm in studies.ARMS for arm in study.arms)
        assert study.settings == MAIN.settings


@pytest.mark.parametrize(("find", "words"), [
    (lambda: studies.find_study("mian"), "did you mean 'main'"),
    (lambda: studies.find_arms(MAIN, ("llrap",)), "did you mean 'llarp'"),
])  # fmt: skip
def test_an_unknown_name_is_refused_with_the_closest(find: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find()


def test_a_scaled_budget_keeps_at_least_one_of_everything() -> None:
    small = studies.LONG.scaled(1e-6)
    assert (small.updates, small.expert_steps, small.fresh) == ((1,), 1, 1)
    assert studies.LONG.scaled(2).ppo_steps == 2 * studies.LONG.ppo_steps


def test_the_list_has_a_line_for_every_study_and_arm(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(listing(ListArgs()).splitlines()) == 1 + len(studies.STUDIES)
    assert main(["list", "--arms"]) == 0
    assert "random decoder frozen" in capsys.readouterr().out
    assert main(["run", "nothing"]) == 2


def stage(name: str, code: str) -> plan.Stage:
    return plan.Stage(name, ("-c", code))


def test_finished_stages_are_not_run_again_and_a_failed_one_is(tmp_path: Path) -> None:
    first, second, home = tmp_path / "first", tmp_path / "second", tmp_path / "arm" / "0"
    count = f"open({str(first)!r}, 'a').write('x')"
    fails_once = (
        f"import pathlib, sys; p = pathlib.Path({str(second)!r}); q = p.with_suffix('.tried')\n"
        "sys.exit(q.touch() or 'no') if not q.exists() else p.touch()"
    )
    chain = (stage("a", count), stage("b", fails_once))
    with pytest.raises(run.StudyError, match=r"arm 0: b ended with status 1; read .*b\.log"):
        run._chain(home, chain)
    run._chain(home, chain)
    assert first.read_text() == "x"
    assert second.exists()
    record = run.read_record(home)
    assert {name: found["done"] for name, found in record["stages"].items()} == {
        "a": True,
        "b": True,
    }
    assert record["stages"]["a"]["command"].startswith("python -c")


def test_training_resumes_where_it_saved_and_starts_anew_where_it_did_not(tmp_path: Path) -> None:
    folder, seen = tmp_path / "ppo", tmp_path / "seen"
    code = f"import sys; open({str(seen)!r}, 'a').write(' '.join(sys.argv[1:]) + ';')"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text("{}\n")
    run._chain(tmp_path, (plan.Stage("killed", ("-c", code), folder),))
    assert not list(folder.iterdir())
    (folder / "checkpoints" / "000002").mkdir(parents=True)
    run._chain(tmp_path, (plan.Stage("saved", ("-c", code), folder),))
    assert seen.read_text() == ";--resume;"


def test_a_folder_holds_runs_of_one_scale_and_a_cap_is_kept(tmp_path: Path) -> None:
    run._same_scale(run.RunArgs(name="main", out=tmp_path))
    with pytest.raises(UsageError, match="another --out"):
        run._same_scale(run.RunArgs(name="main", out=tmp_path, scale=2.0))
    with pytest.raises(UsageError, match=r"forecast is \d+\.\d core-hours, the cap 0\.5"):
        run.run(run.RunArgs(name="main", out=tmp_path / "never", cap_hours=0.5))
    assert not (tmp_path / "never").exists()


def test_dry_run_has_forecast_and_commands_and_runs_none(tmp_path: Path) -> None:
    args = run.RunArgs(name="main", out=tmp_path / "never", dry_run=True, arms=("blank",))
    lines = run.run(args).splitlines()
    assert lines[1].startswith("blank")
    commands = [line for line in lines if line.startswith("python -m langrearrange")]
    assert len(commands) == 1 + len(plan.REFERENCES) + 4
    assert not (tmp_path / "never").exists()


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
        seen = "generic pixels (random)" if seed else ""
        facts = AgentFacts(name=name, modality=rows.modality, perception=seen)
        trace = "trace" if name == "blind_sweep" else "trace_16"
        evaluate(rows, facts, Plan(**sources, seed=seed), home / f"{trace}.jsonl.gz")
        record = {"stages": {"ppo": {"command": "python", "commit": "c0ffee", "cpu_s": 60.0}}}
        (home / "record.json").write_text(json.dumps(record))
    return folder


def test_the_report_scores_traces_anew_and_pools_the_seeds(
    study_folder: Path, tmp_path: Path
) -> None:
    out = report.write(report.ReportArgs(name="main", runs=study_folder, out=tmp_path))
    found = json.loads((out / "runs" / "llarp_1_16.json").read_text())
    assert found["provenance"]["stages"]["ppo"]["commit"] == "c0ffee"
    assert len(found["episodes"]) == 1100
    assert found["run"]["datasets"]["train_eval"]["sha256"]
    explorer, random = (
        json.loads((out / "runs" / f"llarp_{seed}_16.json").read_text())["splits"]
        for seed in (1, 0)
    )
    both = [run.result for run in report.read_runs(study_folder, MAIN) if run.name == "llarp"]
    for split in BOARD_SPLITS:
        mean = (explorer[split]["success"]["mean"] + random[split]["success"]["mean"]) / 2
        interval = report.pooled(both, split)
        assert interval.mean == pytest.approx(mean, abs=1e-5)
        assert interval.low <= mean < interval.high
    tables = (out / "tables.md").read_text()
    named = "Perception: llarp, blind_sweep: state; llarp: generic pixels (random)\n"
    assert tables.count(named) == tables.count("## ") == 7
    assert "| train_eval |" in tables
    assert "| place_two | new_scenes |" in tables
    assert '<span style="color:gray">42 ± 2</span>' in tables
    for picture in ("success", "efficiency", "curves"):
        assert (out / f"{picture}.png").stat().st_size > 1000
    assert (out / "checkpoints" / "llarp_0" / "weights.safetensors").is_file()


def test_differences_are_paired_by_episode_and_pooled_over_seeds(study_folder: Path) -> None:
    found = {name: score_trace(path, open_split) for name, path in {
        "explorer": study_folder / "llarp" / "1" / "trace_16.jsonl.gz",
        "random": study_folder / "llarp" / "0" / "trace_16.jsonl.gz",
        "sweep": study_folder / "blind_sweep" / "0" / "trace.jsonl.gz",
    }.items()}  # fmt: skip
    [row] = pairs.order_rows({"llarp": [found["explorer"]], "blind_sweep": [found["sweep"]]})
    assert row[0] == "blind_sweep - llarp"
    assert row[3].startswith("-")
    assert float(row[4]) < 0.01
    alone = lift.difference([found["random"]], [found["explorer"]], splits=GROUPS["Total"])
    both = lift.difference(
        [found["random"]], [found["explorer"], found["random"]], splits=GROUPS["Total"]
    )
    assert both.difference == pytest.approx(alone.difference / 2)
    same = lift.difference([found["sweep"]], [found["sweep"]], splits=["train_eval"])
    assert (same.difference, same.p_value) == (0.0, 1.0)


def test_no_finished_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no finished run"):
        report.read_runs(tmp_path, MAIN)


def test_the_paper_s_numbers_agree_with_the_board_s() -> None:
    from langrearrange.leaderboard.paper_rows import COLUMNS, PAPER_SUCCESS

    found = paper.published("success")
    for method, row in PAPER_SUCCESS.items():
        known = [round(100 * found[method][column].mean) for column in COLUMNS]
        assert known == list(row), method
    assert found["LLaRP"]["Total"].spread == 0.02
    assert "LLaRP-FT" in found
    assert 0 < paper.published("efficiency")["LLaRP"]["train_eval"].mean < 1


def test_bars_of_the_paper_are_grey_and_only_beside_arms_of_ours() -> None:
    ours = {"llarp": {"Total": mean_ci(np.array([0.0, 1.0, 0.0, 1.0]), list("abcd"))}}
    axes = figures.bars(ours, paper.published("success"), "success").axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == [0.5, 0.42]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["llarp", "LLaRP (paper, Habitat)"]


def test_a_probe_reads_held_out_phrasings_and_depth_is_what_it_says(tmp_path: Path) -> None:
    args = depth.DepthArgs(
        backbones=("tiny",), layers=(1,), num_sentences=120, num_envs=2, num_steps=2,
        out=tmp_path / "depth.json",
    )  # fmt: skip
    table = depth.run(args).splitlines()
    rows = json.loads((tmp_path / "depth.json").read_text())["rows"]
    assert [row["layers"] for row in rows] == [1, 3]
    assert len(table) == 2 + len(rows)
    assert all(row["ms"] > 0 for row in rows)
    sentences = depth.training_sentences(120)
    assert {s.part for s in sentences} == {0, 1, 2, 3, 4}
    assert all((s.receptacle < 0) == (" find" in f" {s.text.lower()}") for s in sentences[:1])
    text = load_text_encoder("tiny")
    shallow = load_text_encoder("tiny", layers=1)
    read = [s.text for s in sentences[:3]]
    ours = depth.summaries(text, read, [1])[1, "last"]
    assert (ours - depth.summaries(shallow, read, [1])[1, "last"]).abs().max() < 1e-5


def test_a_ridge_probe_solves_what_is_linear() -> None:
    import torch

    inputs = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    labels = inputs[:, :3].argmax(1)
    read = depth.probe(inputs, labels, torch.arange(200) % 5, 3)
    assert (read(inputs) == labels).float().mean() > 0.85


def test_a_signal_ends_the_commands_too_and_leaves_none_behind(tmp_path: Path) -> None:
    out = tmp_path / "study"
    module = ("-m", "langrearrange_baselines.study", "run", "main", "--arms", "blank")
    command = [sys.executable, *module, "--out", str(out)]
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


def test_an_arm_that_sees_pictures_records_demonstrations_of_its_own() -> None:
    [untrained] = studies.find_arms(MAIN, ("untrained_encoder",))
    taught = parsed(plan.stages(MAIN, untrained, 0, Path("out"))[0], ImitationConfig)
    assert (taught.demonstrations, taught.encoder) == ("", "random")
    assert taught.num_steps == untrained.budget.expert_steps
    shared = dataclasses.replace(untrained, settings={"backbone": "tiny"})
    assert parsed(plan.stages(MAIN, shared, 0, Path("out"))[0], ImitationConfig).demonstrations


def test_a_curve_counts_every_template_alike(tmp_path: Path) -> None:
    (tmp_path / "imitation").mkdir()
    (tmp_path / "ppo").mkdir()
    taught = {"stage": "dagger 1", "env_steps": 50, "recorded_success": 0.5}
    (tmp_path / "imitation" / "metrics.jsonl").write_text(json.dumps(taught) + "\n")
    first: dict[str, Any] = {"env_steps": 10, "episodes": 300, "success_by_template": {"put": 1.0}}
    later = {"env_steps": 20, "episodes": 400, "success_by_template": {"put": 1.0, "swap": 0.5}}
    lines = "".join(json.dumps(record) + "\n" for record in (first, later))
    (tmp_path / "ppo" / "metrics.jsonl").write_text(lines)
    assert figures.points(tmp_path) == [(50, 0.5, "dagger"), (70, 0.75, "ppo")]
    assert len(figures.curves({"llarp": [tmp_path]}).axes[1].lines) == 1
