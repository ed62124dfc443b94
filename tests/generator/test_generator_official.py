"""Released files become data sets: solved, judged, written, playable without Habitat."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import gymnasium as gym
import pytest
from official_samples import FRIDGE_MARKER, SINK, SOFA, TABLE, Builder, goal, take_off, touches

import langrearrange
from langrearrange.cli.main import main
from langrearrange.dataset import open_dataset
from langrearrange.dataset.official import split_of
from langrearrange.errors import DatasetError, HouseError, UsageError
from langrearrange.generator import check_dataset, official, official_findings
from langrearrange.generator.official import REPORT, import_files, import_official

SINK_NEEDS_A_CUP = {"thing": "cup", "place": SINK}


def kinds(folder: Path, builder: Builder, stem: str = "context") -> dict[str, int]:
    return import_official(builder.write(folder, stem)).report.counts


def test_an_imported_episode_has_a_shortest_plan_and_subgoals(tmp_path: Path) -> None:
    (episode,) = import_official(Builder().add().write(tmp_path)).episodes
    assert episode.id == "official_context/000000"
    assert episode.plan == ("nav(sofa)", "pick(pear)", "nav(black_table)", "place(black_table)")
    assert episode.subgoals == ("held(pear)", "delivered(pear,black_table,1)")


def test_a_written_file_opens_passes_the_check_and_can_be_played(tmp_path: Path) -> None:
    builder = (
        Builder()
        .add()
        .add("Is the pear on the sofa yet? I want it at the sink.", goal("pear", SINK))
    )
    (report,) = import_files([builder.write(tmp_path)], tmp_path / "out")
    folder = tmp_path / "out" / "official_context"
    assert (report.num_episodes, report.num_written, report.findings) == (2, 2, ())
    assert check_dataset(folder).passed
    assert open_dataset(folder)["official_context/000001"].instruction.startswith("Is the pear")
    for observation in ("state", "text"):
        env = gym.make("LangRearrange-v0", episodes=str(folder), observation=observation)
        env.reset()
        for skill in open_dataset(folder).get(0).plan:
            *_, ended, _, info = env.step(langrearrange.world.skill_index(skill))
        assert ended
        assert info["success"]
        env.close()


def test_a_home_that_cannot_be_drawn_is_an_error_in_rgb_alone(tmp_path: Path) -> None:
    list(import_files([Builder().add().write(tmp_path)], tmp_path))
    env = gym.make("LangRearrange-v0", episodes=str(tmp_path / "official_context"))
    with pytest.raises(
        HouseError, match="cannot be drawn here; play its episodes with observation"
    ):
        env.reset()


def test_what_is_inconsistent_is_named_and_kept(tmp_path: Path) -> None:
    pears = (("016_pear", SOFA), ("016_pear", TABLE), ("013_apple", SINK))
    all_here = Builder().add(
        "All pears go to the sofa.", goal("pear", SOFA, "FORALL"), things=pears
    )
    all_here.add("All pears go to the sink.", goal("pear", SINK, "FORALL"), things=pears[:1])
    assert kinds(tmp_path, all_here) == {"for_all_of_one": 1, "partly_done": 1}
    already = Builder().add("A pear belongs on the sofa.", goal("pear", SOFA))
    imported = import_official(already.write(tmp_path))
    assert imported.report.counts == {"already_true": 1}
    assert imported.report.inconsistent == ("official_context/000000",)
    assert imported.episodes[0].plan == ()
    from_the_sink = Builder().add(
        "Take the pear from the sink to the black table.",
        sampled_entities={"thing": "pear", "from": SINK, "to": TABLE},
    )
    assert kinds(tmp_path, from_the_sink) == {"source_empty": 1}
    claims = Builder().add("There's a mug in the sink; a pear is wanted at the black table.")
    claims.add("On the sink there is an apple; a pear is wanted at the black table.")
    assert kinds(tmp_path, claims) == {"statement_false": 1}
    both_off = Builder().add(
        "Clear pears off the sofa.",
        take_off("pear", SOFA),
        things=(("016_pear", SOFA), ("016_pear", SOFA)),
    )
    assert kinds(tmp_path, both_off) == {"two_readings": 1}
    wordy = Builder().add("Bring a pear to the black table, " + "please, " * 12 + "would you?")
    assert kinds(tmp_path, wordy) == {"over_30_tokens": 1}


def test_what_no_plan_reaches_is_named_and_kept(tmp_path: Path) -> None:
    nothing_there = Builder().add("A cup at the sink!", goal("cup", SINK), sampled_entities={})
    imported = import_official(nothing_there.write(tmp_path))
    assert imported.report.counts == {"unsolvable": 1}
    assert imported.episodes[0].plan == ()
    robots = {"expr_type": "AND", "sub_exprs": [f"robot_at({SINK})", f"robot_at({SOFA})"]}
    twice = Builder().add("Be at the sink and the sofa.", robots, sampled_entities={})
    assert kinds(tmp_path, twice) == {"unsolvable": 1}


def test_one_bad_episode_is_rejected_by_name_and_the_others_are_written(tmp_path: Path) -> None:
    builder = Builder().add().add(scene_id="nowhere").add(things=(("016_pear", "shelf"),)).add()
    builder.episodes[1]["instruction"] = builder.episodes[3]["instruction"] = "A pear? Black table."
    (report,) = import_files([builder.write(tmp_path)], tmp_path)
    assert (report.num_episodes, report.num_written) == (4, 2)
    rejected = {f.episode_id: f.message for f in report.findings if f.kind == "rejected"}
    assert "scene_instance" in rejected["official_context/000001"]
    assert "unknown receptacle 'shelf'" in rejected["official_context/000002"]
    assert list(open_dataset(tmp_path / "official_context").ids) == [
        "official_context/000000", "official_context/000003",
    ]  # fmt: skip
    written = json.loads((tmp_path / "official_context" / REPORT).read_text())
    assert written["counts"] == {"rejected": 2}
    assert written["num_written"] == 2


def test_goals_that_would_take_for_ever_are_rejected_or_given_up_at_once(tmp_path: Path) -> None:
    things = (("016_pear", SOFA),) * 60
    many = {
        "expr_type": "AND",
        "quantifier": "EXISTS",
        "inputs": [{"name": f"X{i}", "expr_type": "pear"} for i in range(10)],
        "sub_exprs": [f"on_top(X{i}, {TABLE})" for i in range(10)],
    }
    imported = import_official(Builder().add(goal_preds=many, things=things).write(tmp_path))
    assert imported.report.counts == {"gave_up": 1}
    parts = [goal("pear", place) for place in (TABLE, SOFA, SINK)] * 3
    wide = {"expr_type": "AND", "sub_exprs": parts}
    imported = import_official(Builder().add(goal_preds=wide, things=things).write(tmp_path))
    assert imported.report.counts == {"gave_up": 1}


def test_goals_over_all_things_name_the_swapped_files(tmp_path: Path) -> None:
    everything = Builder().add("All pears to the sink.", goal("pear", SINK, "FORALL"))
    path = everything.write(tmp_path, "multiple_rearrangements")
    assert import_official(path).report.split == "official_multiple_objects"
    path = Builder().add().write(tmp_path, "multiple_objects")
    assert import_official(path).report.split == "official_multiple_rearrangements"


def test_clusters_are_situations_wordings_or_single_episodes(tmp_path: Path) -> None:
    def clusters(stem: str, *instructions: str) -> list[str]:
        builder = Builder()
        for instruction in instructions:
            builder.add(instruction)
        return [e.cluster for e in import_official(builder.write(tmp_path, stem)).episodes]

    two = ("A pear to the black table!", "Could a pear go to the black table?")
    assert clusters("context", *two) == ["0123abcd", "0123abcd"]
    assert clusters("rephrasing", *two) == ["0123abcd/0", "0123abcd/1"]
    assert clusters("rephrasing", two[0], two[0]) == ["0123abcd/0", "0123abcd/1"]


def test_a_conditional_goal_keeps_its_condition(tmp_path: Path) -> None:
    conditional = {
        "expr_type": "AND",
        "quantifier": "EXISTS",
        "inputs": [{"name": "X", "expr_type": "pear"}, {"name": "Y", "expr_type": "apple"}],
        "sub_exprs": [
            f"opened_fridge({FRIDGE_MARKER})",
            f"on_top(X, {TABLE})",
            f"on_top(Y, {SINK})",
            "not_holding()",
        ],
    }
    builder = Builder().add(
        "A pear to the black table if the fridge is open.",
        conditional,
        start_preds=[f"opened_fridge({FRIDGE_MARKER})"],
    )
    (episode,) = import_official(builder.write(tmp_path)).episodes
    assert episode.open == ("fridge",)
    assert "(open fridge)" in episode.goal
    assert len(episode.plan) == 4


def test_files_of_one_split_and_finished_sets_are_refused(tmp_path: Path) -> None:
    path = Builder().add().write(tmp_path)
    with pytest.raises(UsageError, match="are both official_context"):
        list(import_files([path, path], tmp_path / "a"))
    list(import_files([path], tmp_path / "b"))
    with pytest.raises(UsageError, match="--force"):
        list(import_files([path], tmp_path / "b"))
    list(import_files([path], tmp_path / "b", overwrite=True))
    none = Builder().add(scene_id="").write(tmp_path)
    with pytest.raises(DatasetError, match=r"none of its 1 episodes fits: .*scene_instance"):
        list(import_files([none], tmp_path / "c"))


def test_the_command_reports_and_exits_by_what_was_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(Builder().add().write(tmp_path))
    assert main(["import-official", path, "--out", str(tmp_path / "out")]) == 0
    assert "official_context" in capsys.readouterr().out
    assert main(["import-official", path, "--out", str(tmp_path / "out")]) == 2
    assert "--force" in capsys.readouterr().err
    path = str(Builder().add().add(scene_id="x").write(tmp_path))
    assert main(["import-official", path, "--out", str(tmp_path / "two"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["counts"] == {"rejected": 1}
    assert main(["import-official", "--out", str(tmp_path / "out")]) == 2
    assert main(["import-official", str(tmp_path / "no.pickle"), "--out", str(tmp_path)]) == 1
    capsys.readouterr()
    trace = tmp_path / "trace"
    hostile = str(Builder().add(info=touches(trace)).write(tmp_path))
    assert main(["import-official", hostile, "--out", str(tmp_path / "three")]) == 1
    err = capsys.readouterr().err
    assert "'system'" in err
    assert err.count("\n") == 1
    assert not trace.exists()
    assert not (tmp_path / "three").exists()


def test_the_page_explains_every_finding_and_difference() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "official-episodes.md").read_text()
    sources = [
        Path(inspect.getfile(module)).read_text() for module in (official, official_findings)
    ]
    named = set(re.findall(r'Finding\(\s*"(\w+)"|yield \(?\s*"(\w+)",', "\n".join(sources)))
    kinds = {name for pair in named for name in pair if name}
    assert len(kinds) == 10, kinds
    assert set(official_findings.NOTES) < kinds
    assert all(f"`{kind}`" in page for kind in kinds)
    for stem in ("new_scenes", "rephrasing", "context", "train_validation", "novel_objects"):
        assert f"| {stem} | {split_of(stem, for_all=False)} |" in page
    for stem, for_all in (("multiple_objects", False), ("multiple_rearrangements", True)):
        assert f"| {stem} | {split_of(stem, for_all)} |" in page
