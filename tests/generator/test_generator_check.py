"""The check passes what is sound and finds every planted fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from langrearrange.dataset import Episode, Start, open_dataset, write_dataset
from langrearrange.errors import UsageError
from langrearrange.generator import (
    GeneratedSplit,
    SplitSpec,
    check_dataset,
    generate_split,
    load_spec,
    make_episode,
)
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.make import with_plan
from langrearrange.generator.provenance import provenance_of
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.solver import solve, subgoals
from langrearrange.world.goals import parse_goal

replace = msgspec.structs.replace
SPEC = load_spec("train", num_episodes=45)


def sound() -> list[Episode]:
    return [make_episode(SPEC, index) for index in range(45)]


def put(episodes: list[Episode]) -> int:
    """Return the index of an episode that puts one object somewhere."""
    return next(i for i, e in enumerate(episodes) if e.template == "put" and len(e.plan) == 4)


def change(**fields: object) -> Callable[[list[Episode]], None]:
    def plant(episodes: list[Episode]) -> None:
        number = put(episodes)
        episodes[number] = replace(episodes[number], **fields)

    return plant


def move_object(**fields: object) -> Callable[[list[Episode]], None]:
    def plant(episodes: list[Episode]) -> None:
        number = put(episodes)
        first, *rest = episodes[number].objects
        objects = (replace(first, **fields), *rest)
        episodes[number] = replace(episodes[number], objects=objects)

    return plant


def longer_plan(episodes: list[Episode]) -> None:
    number = put(episodes)
    episode = episodes[number]
    episodes[number] = replace(episode, plan=("nav(sink)", "nav(sofa)", *episode.plan))


def cut_plan(episodes: list[Episode]) -> None:
    number = put(episodes)
    episodes[number] = replace(episodes[number], plan=episodes[number].plan[:-1])


def fewer_subgoals(episodes: list[Episode]) -> None:
    number = put(episodes)
    episodes[number] = replace(episodes[number], subgoals=episodes[number].subgoals[:1])


def target_is_there_already(episodes: list[Episode]) -> None:
    number = put(episodes)
    episode = episodes[number]
    target = episode.plan[-1].removeprefix("place(").rstrip(")")
    category = episode.plan[1].removeprefix("pick(").rstrip(")")
    objects = [
        replace(t, receptacle=target, slot=20 + i) if t.category == category else t
        for i, t in enumerate(episode.objects)
    ]
    episodes[number] = replace(episode, objects=tuple(objects))


def fridge_closed_already(episodes: list[Episode]) -> None:
    number = next(i for i, e in enumerate(episodes) if e.template == "close_fridge")
    episodes[number] = replace(episodes[number], open=())


def few_objects(episodes: list[Episode]) -> None:
    number = put(episodes)
    episode = episodes[number]
    category = episode.plan[1].removeprefix("pick(").rstrip(")")
    kept = tuple(t for t in episode.objects if t.category == category)
    episodes[number] = replace(episode, objects=kept)


def repeat_a_text(episodes: list[Episode]) -> None:
    number = put(episodes)
    other = next(i for i, e in enumerate(episodes) if e.template == "put" and i != number)
    episodes[other] = replace(episodes[other], instruction=episodes[number].instruction.upper())


FAULTS: dict[str, tuple[str, Callable[[list[Episode]], None]]] = {
    "a plan with a detour": ("not_optimal", longer_plan),
    "a plan cut short": ("plan", cut_plan),
    "a plan with an invalid step": (
        "plan",
        change(plan=("pick(apple)", "nav(sofa)", "nav(sink)", "nav(chair)")),
    ),
    "a plan that places what is not there": (
        "plan",
        change(plan=("nav(sofa)", "place(sofa)"), objects=()),
    ),
    "an empty plan": ("plan_length", change(plan=())),
    "a missing subgoal": ("subgoals", fewer_subgoals),
    "a subgoal that does not parse": ("subgoal", change(subgoals=("held(aple)",))),
    "a goal that is another one": ("goal_text", change(goal="(robot_at sofa)")),
    "a goal that does not parse": ("goal", change(goal="(on_top ?x sofa)")),
    "a goal nobody can reach": ("unsolvable", change(goal="(and (open fridge) (closed fridge))")),
    "a goal true at the start": ("solved_at_start", target_is_there_already),
    "a sentence of other words": ("sentence", change(instruction="Dance with the lamp.")),
    "a sentence nobody can read": ("reading", change(instruction="Dance with the lamp.")),
    "a sentence of another goal": ("reading", change(instruction="Go to the sofa.")),
    "another phrasing's number": ("labels", change(phrasing=99)),
    "a presupposition that fails": ("presupposition", fridge_closed_already),
    "an unknown flat": ("house", change(house="flat_9_99")),
    "a flat of another role": ("knobs", change(house="flat_4_00")),
    "a start pose in a wall": ("start", change(start=Start(x=-5000, y=0, yaw=0))),
    "a model of another category": ("model", move_object(model="no_such_model")),
    "a slot beyond the surface": ("slot", move_object(slot=60)),
    "too few objects": ("knobs", few_objects),
    "an id beyond the spec": ("origin", change(id="train/000045")),
    "a yaw changed by hand": ("origin", move_object(yaw=1)),
    "two sentences alike but for case": ("duplicate_text", repeat_a_text),
}


def write(folder: Path, episodes: list[Episode], spec: SplitSpec = SPEC) -> None:
    """Write episodes as if they had been generated from the spec."""
    write_dataset(folder, episodes, "train", provenance=provenance_of(blueprint_of(spec)))


def test_sound_set_passes(tmp_path: Path) -> None:
    write(tmp_path / "set", sound())
    report = check_dataset(tmp_path / "set")
    assert report.passed, [str(f) for f in report.findings]
    assert (report.num_episodes, report.proved_by) == (45, "own")
    assert report.counts == {}


@pytest.mark.parametrize("name", FAULTS)
def test_planted_fault_is_found(name: str, tmp_path: Path) -> None:
    kind, plant = FAULTS[name]
    episodes = sound()
    plant(episodes)
    write(tmp_path / "set", episodes)
    report = check_dataset(tmp_path / "set")
    assert not report.passed
    assert kind in report.counts, report.counts
    assert all(str(f).startswith(f"{f.kind}: ") and f.message for f in report.findings)


def test_flipped_byte_and_edited_line_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write(folder, sound())
    path = folder / "train.jsonl.gz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    counts = check_dataset(folder).counts
    assert "damaged" in counts
    write_dataset(folder, sound(), "mine", overwrite=True)
    edit_manifest(folder, content_sha256="0" * 64)
    assert check_dataset(folder).counts == {"hash": 1}


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of eight episodes with its origin."""
    folder = tmp_path_factory.mktemp("small") / "set"
    generate_split(load_spec("train", num_episodes=8), folder)
    assert check_dataset(folder).passed
    return folder


ORIGIN = {"episode_version": "9"}, {"house_version": "9"}, {"templates_sha256": "1" * 64}
SPECS = (
    {"name": "mine"}, {"split": "validation"}, {"horizon": 31},
    {"houses": "zzz"}, {"houses": "os:system"}, {"templates": "../none"}, {"templates": "a\0b"},
    {"num_episodes": "8"}, {"schema_version": 2}, {"name": "n\0"}, {"max_objects": 1}, {"x": 1},
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("provenance", {"provenance": None}),
        ("provenance", {"commitment": "0" * 64}),
        ("manifest", {"counts": {}}),
        ("manifest", {"templates": {"put": 8}}),
        ("manifest", {"ids": [f"train/{i:06d}" for i in range(8)]}),
        ("manifest", {"split": "mine", "file": "mine.jsonl.gz"}),
        ("manifest", {"provenance": {"spec": {"num_episodes": 9}}}),
        *(("provenance", {"provenance": change}) for change in ORIGIN),
        *(("provenance", {"provenance": {"spec": change}}) for change in SPECS),
    ],
)
def test_what_a_manifest_says_is_compared_with_the_content(
    small: Path, tmp_path: Path, kind: str, changes: dict[str, Any]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    manifest = json.loads((small / "manifest.json").read_text())
    for name, value in changes.items():
        origin = manifest["provenance"]
        if isinstance(value, dict) and name == "provenance":
            value = {**origin, **value, "spec": {**origin["spec"], **value.get("spec", {})}}
        manifest[name] = value
    (folder / manifest["file"]).write_bytes((small / "train.jsonl.gz").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    report = check_dataset(folder)
    assert kind in report.counts, report.counts
    assert all("Traceback" not in str(finding) for finding in report.findings)


def test_line_beyond_the_limits_is_a_finding_with_its_line(tmp_path: Path) -> None:
    import gzip

    from langrearrange.dataset.manifest import read_manifest, write_manifest

    folder = tmp_path / "set"
    write(folder, sound()[:20])
    path = folder / "train.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).replace(b'"yaw":', b'"yaw":9', 1)
    data = gzip.compress(lines, mtime=0)
    path.write_bytes(data)
    old = read_manifest(folder)
    write_manifest(folder, replace(old, members=[len(data)], num_bytes=len(data)))
    report = check_dataset(folder)
    assert report.counts["format"] == 1
    assert "line 1 (train/000000): object" in next(
        str(f) for f in report.findings if f.kind == "format"
    )


def test_another_shortest_plan_is_as_good_and_a_longer_one_is_not(tmp_path: Path) -> None:
    episodes = sound()
    detour = "nav(middle_drawer_handle)"
    for number, e in enumerate(episodes):
        layout, state, goal = e.layout(), e.initial_state(), parse_goal(e.goal)
        plan = solve(goal, layout, state, rng=KeyedRng(HOUSE_VERSION, "another")).plan
        episodes[number] = with_plan(e, plan, subgoals(goal, layout, state, plan))
    assert sum(new.plan != old.plan for new, old in zip(episodes, sound(), strict=True)) > 5
    write(tmp_path / "set", episodes)
    assert check_dataset(tmp_path / "set").passed
    episodes[3] = replace(episodes[3], plan=(detour, *episodes[3].plan))
    write_dataset(tmp_path / "longer", episodes, "mine")
    assert check_dataset(tmp_path / "longer").counts == {"not_optimal": 1}


def test_changed_templates_are_said_so(tmp_path: Path) -> None:
    origin = replace(provenance_of(blueprint_of(SPEC)), templates_sha256="0" * 64)
    write_dataset(tmp_path / "set", sound(), "train", provenance=origin)
    [finding] = check_dataset(tmp_path / "set").findings
    assert finding.kind == "provenance"
    assert "'train' was generated from other templates or words than those" in finding.message
    episodes = sound()
    change(instruction="Go to the sofa.")(episodes)
    write_dataset(tmp_path / "set", episodes, "train", provenance=origin, overwrite=True)
    assert check_dataset(tmp_path / "set").counts == {"provenance": 1, "reading": 1}


def test_set_without_a_spec_is_proved_as_far_as_it_goes(tmp_path: Path) -> None:
    write_dataset(tmp_path / "set", sound(), "mine")
    assert check_dataset(tmp_path / "set").passed
    assert check_dataset(open_dataset(tmp_path / "set")).split == "mine"


def test_computed_split_can_be_checked_without_a_file() -> None:
    report = check_dataset(GeneratedSplit(load_spec("context", num_episodes=30)))
    assert report.passed
    assert report.content_sha256 == ""


def test_a_spatial_sentence_is_read_by_the_relations_of_its_flat() -> None:
    spec = load_spec("spatial_relationships", num_episodes=8)
    assert check_dataset(GeneratedSplit(spec)).passed
    # In a flat where it means another receptacle, the stored goal is not what is said.
    first = make_episode(spec, 1)
    blueprint = blueprint_of(spec)
    other = next(name for name in blueprint.houses if name not in blueprint.draft(1).houses)
    moved = replace(first, house=other)

    class Stored(GeneratedSplit):
        def get(self, position: int, variant: int = 0) -> Episode:
            episode = super().get(position, variant)
            return moved if episode == first else episode

    report = check_dataset(Stored(spec))
    assert [f.kind for f in report.findings if f.episode_id == first.id].count("reading") == 1
    assert all(finding.episode_id == first.id for finding in report.findings)


def test_unknown_planner_is_refused() -> None:
    with pytest.raises(UsageError, match="accepted: own, pyperplan"):
        check_dataset(GeneratedSplit("context"), planner="fast")  # type: ignore[arg-type]


@pytest.mark.slow
def test_pyperplan_agrees_and_finds_what_cannot_be_solved(tmp_path: Path) -> None:
    episodes = [e for e in sound() if len(e.plan) <= 5][:8]
    write_dataset(tmp_path / "good", episodes, "mine")
    assert check_dataset(tmp_path / "good", planner="pyperplan").passed
    impossible = "(and (open fridge) (closed fridge))"
    broken = [replace(episodes[0], goal=impossible), *episodes[1:]]
    write_dataset(tmp_path / "bad", broken, "mine")
    assert "planner" in check_dataset(tmp_path / "bad", planner="pyperplan").counts


@pytest.mark.slow
@pytest.mark.parametrize(
    "split", ["train_mini", "validation", "train_eval", "conditional_instructions"]
)
def test_published_splits_pass(split: str, tmp_path: Path) -> None:
    generate_split(load_spec(split), tmp_path / "set")
    assert check_dataset(tmp_path / "set", workers=2).findings == ()


@pytest.mark.slow
def test_findings_do_not_depend_on_workers(tmp_path: Path) -> None:
    episodes = [make_episode(load_spec("train_mini"), index) for index in range(1_000)]
    for plant in (longer_plan, repeat_a_text):
        plant(episodes)
    write(tmp_path / "set", episodes, load_spec("train_mini"))
    alone, together = (check_dataset(tmp_path / "set", workers=count) for count in (1, 2))
    assert alone == together
    assert not alone.passed
