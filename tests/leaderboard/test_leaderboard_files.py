"""What result files and the board hold: rounded as told, in order, the paper's numbers right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from handmade import HANDMADE, traces_of

from langrearrange.dataset import EpisodeList
from langrearrange.errors import ScoreError
from langrearrange.leaderboard import (
    AgentFacts,
    Conditions,
    Plan,
    Trace,
    header_of,
    preflight,
    read_result,
    report_json,
    score,
    score_episodes,
)
from langrearrange.leaderboard.board import BOARD_COLUMNS, Row, build_board, rank_range
from langrearrange.leaderboard.clairvoyance import Clairvoyance
from langrearrange.leaderboard.groups import BOARD_SPLITS, GROUPS, STRATIFIED, base_split
from langrearrange.leaderboard.paper_rows import COLUMNS, PAPER_SUCCESS
from langrearrange.leaderboard.score import Group, Result, Scores, TemplateScores
from langrearrange.leaderboard.statistics import Interval
from langrearrange.world.vocabulary import TEST_SPLITS

SOURCE = EpisodeList(HANDMADE)


def result_of(agent: str, **facts: Any) -> Result:
    header = header_of(AgentFacts(name=agent, modality="state", **facts), Plan(sources=[SOURCE]))
    lines = tuple(traces_of(agent, HANDMADE).values())
    return score(Trace(header, lines), lambda split: SOURCE)


RESULT = replace(result_of("explorer"), foreign=())


def interval(mean: float, low: float = 0.1, high: float = 0.9) -> Interval:
    return Interval(mean, low, high, 40, 10, 0.01, 9.0, "clustered")


# -- result files ----------------------------------------------------------------------------------


def test_floats_have_six_decimals_and_no_negative_zero() -> None:
    scores = Scores(
        interval(0.12345678, 0.04999999, 0.87654321), interval(-0.0), {"regret": None, "reward":
        -0.00000001, "subgoals": 2 / 3}, 40, 3, {"loop": 2, "crash": 1},
    )  # fmt: skip
    group = Group(interval(1 / 3), interval(0.5))
    row = TemplateScores("context", "put", 4, 1 / 3, 0.9999999)
    result = replace(RESULT, splits={"context": scores}, groups={"PR": group}, templates=(row,))
    values = report_json(result)
    split = values["splits"]["context"]
    assert split["success"] == {
        "mean": 0.123457, "low": 0.05, "high": 0.876543, "num_units": 10, "method": "clustered",
        "checked": interval(0.12345678).checked,
    }  # fmt: skip
    assert str(split["efficiency"]["mean"]) == "0.0"
    assert split["metrics"]["regret"] is None
    assert str(split["metrics"]["reward"]) == "0.0"
    assert split["metrics"]["subgoals"] == 0.666667
    assert (split["num_episodes"], split["num_missing"]) == (40, 3)
    assert split["causes"] == {"loop": 2, "crash": 1}
    assert values["groups"]["PR"]["success"]["mean"] == 0.333333
    assert values["templates"] == [
        {"split": "context", "template": "put", "num_episodes": 4, "success": 0.333333,
         "efficiency": 1.0}
    ]  # fmt: skip


def test_a_run_is_told_whole() -> None:
    looks = Clairvoyance(30, 28, 4.28571428, 1.23456e-9)
    values = report_json(
        replace(RESULT, clairvoyance=looks, partial=("context",), false_claims=("context/000001",))
    )
    assert values["schema_version"] == 2
    assert values["run"] == msgspec.to_builtins(RESULT.header)
    assert (values["tier"], values["ranked"]) == ("T0", False)
    assert values["partial"] == ["context"]
    assert values["false_claims"] == ["context/000001"]
    assert values["clairvoyance"] == {
        "num_looks": 30, "hits": 28, "expected": 4.285714, "p_value": 1.23e-9, "suspicious": True,
    }  # fmt: skip
    assert [e["id"] for e in values["episodes"]] == [e.id for e in HANDMADE]
    for stored, played in zip(values["episodes"], RESULT.episodes, strict=True):
        for name, value in stored.items():
            assert value == getattr(played, name)
    assert json.loads(json.dumps(values)) == values
    assert report_json(RESULT)["tier"] == "T1"
    assert report_json(RESULT)["ranked"] is False
    assert read_result(json.dumps(values).encode(), "it").tier == "T0"


def test_causes_come_most_frequent_first_then_by_name() -> None:
    played = RESULT.episodes[0]
    causes = ["loop", "horizon", "loop", "crash", "horizon", "loop", "distractor"]
    failed = [replace(played, success=False, cause=cause) for cause in causes]
    absent = HANDMADE[:2]
    scores = score_episodes([*failed, played], absent)
    assert played.success
    assert list(scores.causes.items()) == [
        ("loop", 3), ("horizon", 2), ("missing", 2), ("crash", 1), ("distractor", 1),
    ]  # fmt: skip
    assert (scores.num_episodes, scores.num_missing) == (10, 2)
    assert scores.success.mean == pytest.approx(1 / 10)
    with pytest.raises(ScoreError, match="no episodes to score"):
        score_episodes([])


# -- the board -------------------------------------------------------------------------------------


def data_of(results: list[dict[str, Any]]) -> dict[str, Any]:
    text = build_board([Row(read_result(json.dumps(r).encode(), "it")) for r in results])
    data: dict[str, Any] = json.loads(
        text.split('type="application/json">')[1].split("</script>")[0]
    )
    return data


def copy_of(values: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(values))
    return copied


def test_a_row_means_its_splits() -> None:
    base = report_json(RESULT)
    split, numbers = base["splits"]["context"], base["splits"]["context"]["metrics"]
    ones = numbers | {"regret": 1.0, "invalid_rate": 0.1, "subgoals": 0.75}
    twos = numbers | {"regret": 4.0, "invalid_rate": 0.5, "subgoals": 0.25}
    one, two = split | {"metrics": ones}, split | {"metrics": twos}
    undefined = split | {"metrics": twos | {"regret": None}}
    splits = (
        {"context": one, "sealed_novel_objects": two},
        {"context": one, "train_eval": undefined},
        {"context": undefined},
    )
    both, half, none = (
        row["cells"] for row in data_of([base | {"splits": part} for part in splits])["rows"][:3]
    )
    assert both["invalid"]["mean"] == pytest.approx(0.3)
    assert both["subgoals"]["mean"] == pytest.approx(0.5)
    assert both["regret"]["mean"] == pytest.approx(2.5)
    assert both["novel_objects"]["mean"] == two["success"]["mean"]
    assert both["context"]["efficiency"] == one["efficiency"]["mean"]
    assert half["regret"]["mean"] == 1.0
    assert "regret" not in none


def total(low: float, high: float, **run: Any) -> dict[str, Any]:
    """A result with this interval of Total."""
    values = copy_of(report_json(RESULT))
    group = {n: copy_of(values["splits"]["context"])[n] for n in ("success", "efficiency")}
    group["success"] |= {"low": low, "high": high}
    values["groups"] = {"Total": group}
    values["run"] |= {n: value for n, value in run.items() if n not in ("tier", "round")}
    return values | {"tier": run.get("tier", "T1"), "round": run.get("round", "")}


def test_ranks_leave_out_what_is_not_ranked_and_what_has_no_total() -> None:
    results = [total(0.5, 0.6), total(0.9, 1.0, tier="T0"), total(0.1, 0.2), total(0.55, 0.7)]
    results.append(total(0.0, 1.0, tier="T2") | {"groups": {}})
    ranks = [row["rank"] for row in data_of(results)["rows"][:5]]
    assert ranks == [[1, 2], None, [3, 3], [1, 2], None]


def test_only_runs_of_one_kind_and_round_are_put_in_order() -> None:
    rounds = ("ab" * 32, "cd" * 32)
    results = [total(0.5, 0.6), *(total(0.1, 0.2, tier="T2", round=name) for name in rounds)]
    results.append(total(0.3, 0.4, tier="T2", round=rounds[1]))
    rows = data_of(results)["rows"][:4]
    assert [row["rank"] for row in rows] == [[1, 1], [1, 1], [2, 2], [1, 1]]
    assert [row["tier"] for row in rows] == ["T1 self-reported"] + 3 * ["T2 sealed"]


def test_intervals_that_touch_may_be_either_way_round() -> None:
    assert rank_range([(0.2, 0.5), (0.5, 0.8)], 0) == (1, 2)
    assert rank_range([(0.2, 0.49), (0.5, 0.8)], 0) == (2, 2)
    assert rank_range([(0.2, 0.49), (0.5, 0.8)], 1) == (1, 1)


def test_protocols_are_ranked_apart() -> None:
    data = data_of([total(0.8, 0.9), total(0.1, 0.2, protocol="hard"), total(0.1, 0.2)])
    assert [row["rank"] for row in data["rows"][:3]] == [[1, 1], [1, 1], [2, 2]]
    assert data["columns"][: len(BOARD_COLUMNS)] == list(BOARD_COLUMNS)
    assert set(data["columns"]) - set(BOARD_COLUMNS) >= {"regret", "invalid", "subgoals"}


def test_columns_are_the_groups_and_every_split_of_the_board() -> None:
    assert BOARD_COLUMNS[:3] == ("Total", "BG", "PR")
    assert set(BOARD_COLUMNS) == {*GROUPS, *BOARD_SPLITS}
    assert len(GROUPS["PR"]) == 5
    assert len(GROUPS["BG"]) == 4
    assert GROUPS["Total"] == GROUPS["PR"] + GROUPS["BG"]
    assert set(BOARD_SPLITS) == {*TEST_SPLITS, "train_eval"}
    assert not set(STRATIFIED) & set(GROUPS["Total"])
    assert base_split("sealed_context") == base_split("context") == "context"


# Table 5 once more, as the paper prints it: Total, BG, PR, Train, Scene, Instruct Rephrasing, Novel
# Objects, Multiple Rearrange, Referring Expressions, Context, Irrelevant Text, Multiple Objects,
# Spatial, Conditional Instructs.
PRINTED = """
LLaRP         42 45 38  99 96 92 95 47 26 34 32 0  8 39
LLaRP-Scratch 17 18 16  90 90 59 58 15  3  4 13 0  3  1
LSTM-Flan     25 28 23  98 95 85 83 19  6 15  5 0  4 10
LSTM-LLaMA     2  0  3  31 15 12  1  0  1  0  0 0  2  0
ZS-ChatGPT    22 23 21  57 52 58 61 24 24 10 11 2  0  5
ZS-LLaMA      12 14 10  54 41 34 50  6  3  5  6 0  0  0
ZS-Flamingo    6  8  4  24 14 18 24  8  0  0  2 2  0  0
LLaRP-13b     46 48 44 100 98 95 98 51 31 41 37 0 15 45
"""
PRINTED_COLUMNS = (
    "Total", "BG", "PR", "train_eval", "new_scenes", "instruction_rephrasing", "novel_objects",
    "multiple_rearrangements", "referring_expressions", "context", "irrelevant_text",
    "multiple_objects", "spatial_relationships", "conditional_instructions",
)  # fmt: skip


def test_the_papers_rows_are_its_table_5() -> None:
    printed = {}
    for line in PRINTED.strip().splitlines():
        method, *numbers = line.split()
        printed[method] = dict(zip(PRINTED_COLUMNS, map(int, numbers), strict=True))
    ours = {
        method: dict(zip(COLUMNS, values, strict=True)) for method, values in PAPER_SUCCESS.items()
    }
    assert ours == printed
    for row in ours.values():  # the printed means are those of the printed splits
        for group, members in GROUPS.items():
            assert row[group] == pytest.approx(sum(row[m] for m in members) / len(members), abs=0.6)


# -- preflight -------------------------------------------------------------------------------------


def reasons(result: Result) -> tuple[str, str]:
    """What preflight says of a result: unranked, remarks."""
    checked = preflight(Path("run.jsonl.gz"), lambda path: result)
    assert checked.rejected == ()
    assert checked.result is result
    assert checked.accepted == (not checked.unranked)
    return " | ".join(checked.unranked), " | ".join(checked.remarks)


def whole() -> Result:
    """A run that would be ranked."""
    agent = msgspec.structs.replace(
        RESULT.header.agent, name="mine", authors="me", url="https://example.org",
        train_data="train", perception="nothing",
    )  # fmt: skip
    return replace(
        RESULT,
        header=msgspec.structs.replace(RESULT.header, agent=agent),
        splits=dict.fromkeys(BOARD_SPLITS, RESULT.splits["context"]),
    )


def test_a_whole_run_is_accepted_without_a_word() -> None:
    checked = preflight(Path("run.jsonl.gz"), lambda path: whole())
    assert checked.accepted
    assert (checked.rejected, checked.unranked, checked.remarks) == ((), (), ())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"partial": ("context",)}, "only a part was played of context"),
        ({"foreign": ("context",)}, "the episodes of context are neither this package's published"),
        ({"round": "ab" * 32}, "nothing kept the agent from the sealed episodes (isolation: none)"),
        ({"clairvoyance": Clairvoyance(30, 28, 4.3, 1e-9)}, "in 28 of 30 episodes, by chance at "),
        ({"splits": {"sealed_context": RESULT.splits["context"]}}, "splits are missing: new_"),
    ],
)
def test_each_reason_not_to_rank(fields: dict[str, Any], words: str) -> None:
    unranked, _ = reasons(replace(whole(), **fields))
    assert words in unranked
    assert unranked.count(" | ") == 0
    if "splits" in fields:
        assert " context" not in unranked.split(";")[0], "a sealed set stands for its split"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"horizon": 33}, "the horizon was 33; ranked runs have 32"),
        ({"horizon": 31}, "the horizon was 31; ranked runs have 32"),
        ({"package_version": "0.0.1"}, "the run was made with langrearrange 0.0.1"),
    ],
)
def test_each_reason_in_the_header(fields: dict[str, Any], words: str) -> None:
    run = whole()
    unranked, _ = reasons(replace(run, header=msgspec.structs.replace(run.header, **fields)))
    assert unranked.startswith(words)
    assert unranked.count(" | ") == 0


def test_remarks_count_what_a_reader_may_ask() -> None:
    run = whole()
    stopped = tuple(replace(e, failure="crash") for e in run.episodes[:3])
    played = Conditions(resumes=4, package_sha256="0" * 64)
    header = msgspec.structs.replace(run.header, played=played)
    told: dict[str, Any] = {"num_interrupted": 5, "compared": "some", "header": header}
    _, remarks = reasons(
        replace(run, num_missing=7, false_claims=("a", "b"), episodes=stopped, **told)
    )
    assert "5 episodes were begun more than once" in remarks
    assert "the run was resumed 4 times" in remarks
    assert "the pictures of some episodes were drawn again" in remarks
    assert "a langrearrange of other source" in remarks
    assert "7 episodes are missing and count as failed" in remarks
    assert "2 episodes are declared successful and are not" in remarks
    assert "in 3 episodes the agent stopped answering" in remarks
    unproved = tuple(replace(e, chained=False) for e in run.episodes)
    unranked, _ = reasons(replace(run, episodes=unproved))
    assert unranked.startswith(f"{len(unproved)} episodes keep no hash")


@pytest.mark.parametrize(
    "name",
    [
        "explorer",
        "Explorer",
        "ex-plorer",
        " blind sweep"[1:],
        "ORACLE",
        "random",
        "human",
        "Human!",
    ],
)
def test_names_of_the_packages_own_agents_are_reserved(name: str) -> None:
    run = whole()
    agent = msgspec.structs.replace(run.header.agent, name=name)
    named = replace(run, header=msgspec.structs.replace(run.header, agent=agent))
    checked = preflight(Path("run.jsonl.gz"), lambda path: named)
    assert "is reserved" in checked.rejected[0]
