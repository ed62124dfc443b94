"""Limits at both edges: knobs of a spec, what is proved of an episode, workers and progress."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from langrearrange.dataset import Episode, Start
from langrearrange.errors import DatasetError, MissingExtraError, UsageError
from langrearrange.generator import (
    GeneratedSplit,
    SplitSpec,
    generate_split,
    load_spec,
    make_episode,
    parallel,
    prove,
    prove_episode,
    split,
    workers,
)
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.planners import planner_named, pyperplan_says
from langrearrange.generator.workers import map_ranges, num_cores, num_workers, pool_of, ranges
from langrearrange.houses import get_house
from langrearrange.houses.models import MODELS

SPEC = load_spec("train", num_episodes=45)


def spec(**fields: Any) -> SplitSpec:
    values: dict[str, Any] = {"name": "mine", "templates": "context", "num_episodes": 10}
    return SplitSpec(**values | fields)


# -- knobs -----------------------------------------------------------------------------------------


FEW = {"min_objects": 5, "max_objects": 5}


@pytest.mark.parametrize(
    ("name", "accepted", "refused", "others"),
    [
        ("num_episodes", (1, 1_000_000), (0, 1_000_001), {}),
        ("min_objects", (1, 30), (0, 31), {}),
        ("max_objects", (15, 60), (61,), {"max_per_receptacle": 6, "hidden_percent": 28}),
        ("max_per_receptacle", (1, 6), (7,), FEW),
        ("hidden_percent", (0, 100), (-1, 101), FEW),
        ("fridge_open_percent", (0, 100), (-1, 101), {}),
        ("horizon", (2, 64), (1, 65), {}),
    ],
)
def test_a_knob_turns_between_its_limits(
    name: str, accepted: tuple[int, ...], refused: tuple[int, ...], others: dict[str, int]
) -> None:
    for value in accepted:
        assert getattr(spec(**{**others, name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError, match=rf"mine': {name} is {value}; accepted: "):
            spec(**{**others, name: value})


def test_fewer_objects_at_most_than_at_least_are_refused() -> None:
    assert spec(min_objects=20, max_objects=20).max_objects == 20
    with pytest.raises(UsageError, match="min_objects is 20; accepted: 1 to 19"):
        spec(min_objects=20, max_objects=19)
    with pytest.raises(UsageError, match="max_objects is 5; accepted: 5 to 0"):
        spec(**FEW, max_per_receptacle=0)


@pytest.mark.parametrize(
    ("objects", "hidden", "fits"),
    [
        (30, 50, True),  # 15 hidden: 5 in each of 3 containers
        (30, 53, True),  # 15.9, of which 15 count
        (30, 54, False),  # 16
        (44, 10, True),  # 40 in the open: 5 on each of 8 surfaces
        (45, 10, False),  # 41
    ],
)
def test_what_is_hidden_and_what_is_not_must_fit(objects: int, hidden: int, fits: bool) -> None:
    knobs = {"min_objects": 1, "max_objects": objects, "hidden_percent": hidden}
    if fits:
        spec(**knobs)
    else:
        with pytest.raises(UsageError, match="do not fit with 5 per receptacle"):
            spec(**knobs)


@pytest.mark.parametrize(("length", "accepted"), [(15, False), (16, True)])
def test_a_key_is_long_enough(length: int, accepted: bool) -> None:
    if accepted:
        assert spec(key="k" * length).key == "k" * length
    else:
        with pytest.raises(
            UsageError, match="the key of a sealed set has 15 characters; accepted: at least 16"
        ):
            spec(key="k" * length)


def test_the_split_of_a_spec_is_its_name_unless_it_is_a_view() -> None:
    assert spec().split == "mine"
    assert spec(split="another").split == "another"
    for name in ("mine2", "_mine", "Mine", "my-set", "mine\n"):
        with pytest.raises(UsageError, match="invalid split name"):
            spec(split=name)
    public = spec(key="k" * 16).public()
    assert "key" not in public
    assert public["name"] == public["split"] == "mine"


def test_a_file_of_templates_beside_the_spec_is_found(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("schema: 1\n")
    path = tmp_path / "spec.yaml"
    path.write_text("name: mine\ntemplates: own.yaml\nnum_episodes: 3\nrepeat_texts: true\n")
    loaded = load_spec(path, num_episodes=7)
    assert loaded.templates == str(tmp_path / "own.yaml")
    assert (loaded.num_episodes, loaded.repeat_texts) == (7, True)
    path.write_text("name: mine\ntemplates: context\nschema_version: 1\nhidden_percent: 12\n")
    assert (load_spec(path).templates, load_spec(path).hidden_percent) == ("context", 12)


# -- what is proved of an episode ------------------------------------------------------------------


def sample() -> Episode:
    """A sound episode that puts one object somewhere."""
    return next(
        e for e in (make_episode(SPEC, i) for i in range(45)) if e.template == "put" and e.plan
    )


def kinds(e: Episode, **knobs: int) -> list[str]:
    found = prove_episode(e, spec=replace(SPEC, **knobs) if knobs else SPEC)
    return [finding.kind for finding in found]


def test_a_number_of_objects_at_the_limits_is_accepted() -> None:
    e = sample()
    count = len(e.objects)
    assert kinds(e, min_objects=count) == []
    assert kinds(e, min_objects=count + 1) == ["knobs"]
    assert kinds(e, max_objects=count) == []
    assert kinds(e, min_objects=1, max_objects=count - 1) == ["knobs"]


def test_a_receptacle_at_the_limit_is_accepted() -> None:
    e = sample()
    fullest = max(sum(t.receptacle == r.receptacle for t in e.objects) for r in e.objects)
    assert fullest > 2
    limits = {"min_objects": 1, "max_objects": 30, "hidden_percent": 20}
    assert kinds(e, max_per_receptacle=fullest if fullest > 3 else 4, **limits) == []
    if fullest > 4:
        (finding,) = prove_episode(e, spec=replace(SPEC, max_per_receptacle=4))
        assert f"{fullest} objects on" in finding.message


def test_the_last_slot_of_a_surface_is_its_own_and_the_next_is_not() -> None:
    e = sample()
    thing = e.objects[-1]
    slots = len(get_house(e.house).surfaces[thing.receptacle].slots)

    def at(slot: int) -> Episode:
        return replace(e, objects=(*e.objects[:-1], replace(thing, slot=slot)))

    assert kinds(at(slots - 1)) == []
    assert kinds(at(slots)) == ["slot"]


def test_a_model_must_be_of_its_category() -> None:
    e = sample()
    thing = e.objects[0]
    other = next(m for m in MODELS.values() if m.category != thing.category)
    for model in (other.id, "nothing"):
        changed = replace(e, objects=(replace(thing, model=model), *e.objects[1:]))
        assert kinds(changed) == ["model"]


@pytest.mark.parametrize(("above", "found"), [(0, []), (1, ["model"])])
def test_a_model_must_fit_under_what_is_above(
    monkeypatch: pytest.MonkeyPatch, above: int, found: list[str]
) -> None:
    """No model of the catalogue is as high as a drawer, so one is made higher."""
    e = sample()
    thing = e.objects[0]
    height = get_house(e.house).surfaces[thing.receptacle].max_height_mm + above
    model = MODELS[thing.model]
    taller = dataclasses.replace(model, size_mm=(*model.size_mm[:2], height))
    known = SimpleNamespace(model=lambda name: taller if name == thing.model else MODELS[name])
    monkeypatch.setattr(prove, "source_of", lambda house: known)
    assert kinds(e) == found


def test_a_start_is_one_of_the_free_cells() -> None:
    e = sample()
    cells = get_house(e.house).start_cells
    for x, y in sorted(cells)[:: max(1, len(cells) // 7)]:
        assert kinds(replace(e, start=Start(x=x, y=y, yaw=0))) == []
    x, y = min(cells)
    assert kinds(replace(e, start=Start(x=x - 1, y=y, yaw=0))) == ["start"]


@pytest.mark.parametrize("room", [0, 1])
def test_a_plan_may_take_one_skill_less_than_the_horizon(room: int) -> None:
    e = sample()
    found = kinds(e, horizon=len(e.plan) + room)
    assert (found == []) == (room == 1)


def test_labels_are_compared_with_the_grounding() -> None:
    index = next(i for i in range(45) if make_episode(SPEC, i).template == "put")
    e = make_episode(SPEC, index)
    draft = blueprint_of(SPEC).draft(index)

    def told(**fields: Any) -> list[str]:
        changed = replace(e, **fields)
        return [f.kind for f in prove_episode(changed, grounding=draft.grounding, case=draft.case)]

    assert told() == []
    assert told(phrasing=e.phrasing + 1) == ["labels"]
    assert told(cluster="put/phrasing_99") == ["labels"]
    assert told(template="swap") == ["labels"]
    assert told(instruction="Go away.") == ["sentence"]


def test_another_planner_is_asked_and_believed() -> None:
    e = sample()
    asked = []

    def planner(episode: Episode) -> str:
        asked.append(episode)
        return "no way"

    (finding,) = prove_episode(e, planner=planner)
    assert asked == [e]
    assert (finding.kind, finding.message) == ("planner", "no way")
    assert prove_episode(e, planner=lambda episode: "") == []


# -- planners --------------------------------------------------------------------------------------


def test_planners_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planner_named("own") is None
    assert planner_named("pyperplan") is pyperplan_says
    with pytest.raises(UsageError, match="unknown planner 'x'; accepted: own, pyperplan"):
        planner_named("x")
    monkeypatch.setitem(sys.modules, "pyperplan.planner", None)
    with pytest.raises(MissingExtraError, match="planning"):
        planner_named("pyperplan")


@pytest.mark.parametrize(
    ("length", "complaint"),
    [(None, "finds no plan"), (3, "needs 3 skills, the plan has 4"), (4, ""), (5, "")],
)
def test_a_shorter_plan_of_pyperplan_is_a_complaint(
    monkeypatch: pytest.MonkeyPatch, length: int | None, complaint: str
) -> None:
    """Its greedy plans may be longer than ours; a shorter one would refute ours."""
    planner = pytest.importorskip("pyperplan.planner")
    plan = None if length is None else ["skill"] * length + ["goal achieved"]
    monkeypatch.setattr(planner, "search_plan", lambda *arguments: plan)
    e = next(e for e in (make_episode(SPEC, i) for i in range(45)) if len(e.plan) == 4)
    assert complaint in pyperplan_says(e)
    assert bool(pyperplan_says(e)) == bool(complaint)


# -- workers and progress --------------------------------------------------------------------------


def test_as_many_workers_as_wanted_and_useful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "num_cores", lambda: 6)
    assert [num_workers(None, tasks) for tasks in (0, 1, 4, 5, 100)] == [1, 1, 1, 5, 6]
    assert [num_workers(wanted, 3) for wanted in (0, 1, 2, 3, 8)] == [1, 1, 2, 3, 3]
    assert num_cores() >= 1


@pytest.mark.parametrize("total", [0, 1, 511, 512, 513, 1024])
def test_ranges_cover_everything_once_in_order(total: int) -> None:
    advanced: list[int] = []
    found = list(
        map_ranges(
            lambda a, b: (a, b),
            ranges(total, 512),
            1,
            lambda count, note: advanced.append(count),
        )
    )
    assert [start for start, _ in found] == [a for _, (a, _) in found]
    assert [i for _, (a, b) in found for i in range(a, b)] == list(range(total))
    assert all(b - a <= 512 for _, (a, b) in found)
    assert sum(advanced) == total


def test_a_given_executor_is_used_and_left_open() -> None:
    with ThreadPoolExecutor(1) as threads:
        with pool_of(threads, 3) as pool:
            assert pool is threads
        assert threads.submit(int, "7").result() == 7


@pytest.mark.parametrize("threads", [None, 2])
def test_progress_counts_every_episode_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, threads: int | None
) -> None:
    advanced: list[tuple[int, str]] = []

    @contextmanager
    def noting(what: str, total: int) -> Iterator[Any]:
        assert (what, total) == ("generate mine", 45)
        yield lambda count, note: advanced.append((count, note))

    monkeypatch.setattr(parallel, "CHUNK", 32)
    monkeypatch.setattr(parallel, "progress", noting)
    made = spec(templates="train", houses="validation", num_episodes=45)
    executor = ThreadPoolExecutor(threads) if threads else None
    generate_split(made, tmp_path / "set", workers=1, executor=executor)
    assert sorted(count for count, _ in advanced) == [13, 32]
    if executor is not None:
        executor.shutdown()
        return
    # What was complete already is counted at the beginning.
    advanced.clear()
    genuine = parallel._assemble
    monkeypatch.setattr(parallel, "_assemble", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate_split(made, tmp_path / "again", workers=1)
    (first,) = (tmp_path / "again").glob("unfinished-*/0000000.gz")
    first.unlink()
    monkeypatch.setattr(parallel, "_assemble", genuine)
    advanced.clear()
    generate_split(made, tmp_path / "again", workers=1)
    assert advanced == [(13, "13 were complete already"), (32, "")]


# -- computed splits -------------------------------------------------------------------------------


def test_the_last_64_episodes_asked_for_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []

    def making(of: SplitSpec, index: int, variant: int = 0) -> Episode:
        made.append((index, variant))
        return make_episode(of, index, variant)

    monkeypatch.setattr(split, "make_episode", making)
    source = GeneratedSplit(load_spec("validation"))
    for position in range(64):
        source.get(position)
    assert len(made) == 64
    first = source.get(0)  # now the youngest
    assert len(made) == 64
    source.get(64)  # the oldest, of position 1, is dropped
    assert source.get(0) is first
    assert len(made) == 65
    source.get(1)
    assert len(made) == 66
    assert source.get(0, 1).id.endswith("#1")
    assert made[-1] == (made[0][0], 1), "a variant is another episode"


def test_positions_and_ids_of_a_computed_split_lead_to_each_other() -> None:
    source = GeneratedSplit(load_spec("validation"))
    assert [source.index_of(source.id_at(p)) for p in range(len(source))] == list(range(200))
    for wrong in ("validation/000200", "train/000000"):
        with pytest.raises(DatasetError) as caught:
            source.index_of(wrong)
        assert str(caught.value) == (
            f"validation has no episode '{wrong}'; its ids are validation/000000 to "
            "validation/000199"
        )
    assert source["validation/000199"].id == "validation/000199"
    for position in (-1, 200):
        with pytest.raises(IndexError):
            source.get(position)
