"""Scores: recomputed by replay, never believed; groups as the paper forms them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from handmade import APPLE, HANDMADE, HIDDEN, episode, on, traces_of
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.errors import DatasetError, SubmissionError
from langrearrange.leaderboard import (
    GROUPS,
    AgentFacts,
    Conditions,
    DatasetFacts,
    EpisodeTrace,
    Header,
    Plan,
    Result,
    Trace,
    header_of,
    replay,
    score,
)
from langrearrange.leaderboard.clairvoyance import Clairvoyance
from langrearrange.leaderboard.matching import content_sha256
from langrearrange.world import skill_index
from langrearrange.world.vocabulary import SPLITS

SOURCE = EpisodeList(HANDMADE)


def header(source: EpisodeList = SOURCE, hard: bool = False, **agent: Any) -> Header:
    facts = AgentFacts(name="somebody", modality="state", **agent)
    return header_of(facts, Plan(sources=[source], protocol="hard" if hard else "paper"))


def run_of(agent: str, episodes: tuple[Episode, ...] = HANDMADE, hard: bool = False) -> Trace:
    source = EpisodeList(episodes)
    traces = traces_of(agent, episodes, hard=hard)
    return Trace(header(source, hard), tuple(traces[e.id] for e in source))


def result_of(trace: Trace, source: EpisodeList = SOURCE) -> Result:
    return score(trace, lambda split: source)


def changed(trace: Trace, index: int, **fields: Any) -> Trace:
    lines = list(trace.episodes)
    lines[index] = msgspec.structs.replace(lines[index], **fields)
    return Trace(trace.header, tuple(lines))


ORACLE = run_of("oracle")
RANDOM = run_of("random")


def test_oracle_scores_one_with_no_regret() -> None:
    scores = result_of(ORACLE).splits["context"]
    assert scores.success.mean == 1.0
    assert scores.metrics["regret"] == 0.0
    assert scores.metrics["invalid_rate"] == 0.0
    assert scores.metrics["subgoals"] == 1.0
    assert scores.efficiency.mean == sum(1 - len(e.plan) / 32 for e in HANDMADE) / 4


def test_oracle_has_no_regret_in_the_hard_variant_where_stop_counts() -> None:
    scores = result_of(run_of("oracle", hard=True)).splits["context"]
    assert scores.success.mean == 1.0
    assert scores.metrics["regret"] == 0.0


def test_an_agent_that_does_nothing_scores_zero() -> None:
    lines = tuple(EpisodeTrace(id=e.id, actions=(), failure="refusal") for e in SOURCE)
    scores = result_of(Trace(header(), lines)).splits["context"]
    assert scores.success.mean == scores.efficiency.mean == 0.0
    assert scores.metrics["regret"] is None


def test_forged_success_gains_nothing() -> None:
    forged = Trace(
        RANDOM.header,
        tuple(msgspec.structs.replace(line, success=True) for line in RANDOM.episodes),
    )
    assert result_of(forged).splits == result_of(RANDOM).splits
    lost = [e.id for e in result_of(RANDOM).episodes if not e.success]
    assert list(result_of(forged).false_claims) == lost
    assert lost


def test_forged_outcomes_are_recomputed() -> None:
    forged = changed(RANDOM, 0, outcomes=("ok",) * 32)
    assert result_of(forged).splits == result_of(RANDOM).splits


def test_a_success_with_a_failure_named_is_a_failure() -> None:
    claimed = changed(ORACLE, 0, failure="timeout")
    assert result_of(claimed).splits["context"].success.mean == 0.75


def test_missing_episodes_count_as_failed() -> None:
    dropped = Trace(ORACLE.header, ORACLE.episodes[1:])
    result = result_of(dropped)
    assert result.splits["context"].success.mean == 0.75
    assert result.num_missing == 1
    assert result.partial == ()


def test_dropping_failures_and_declaring_fewer_episodes_marks_the_run_as_partial() -> None:
    won = [e for e in result_of(RANDOM).episodes if e.success]
    kept = tuple(line for line in RANDOM.episodes if line.id in {e.id for e in won})
    sha256 = content_sha256(SOURCE.get(SOURCE.index_of(e.id)) for e in won)
    facts = DatasetFacts(num_episodes=len(won), sha256=sha256)
    fewer = msgspec.structs.replace(RANDOM.header, datasets={"context": facts})
    result = result_of(Trace(fewer, kept))
    assert result.partial == ("context",)


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (Trace(ORACLE.header, (*ORACLE.episodes, ORACLE.episodes[0])), "occurs twice"),
        (changed(ORACLE, 0, id="context/000099"), "none of the splits"),
        (changed(ORACLE, 0, id="context/000000#1"), "none of the splits"),
        (changed(ORACLE, 0, id="../../etc/passwd"), "none of the splits"),
        (changed(ORACLE, 0, id="c\u043entext/000000"), "none of the splits"),
        (changed(ORACLE, 0, id=""), "none of the splits"),
        (changed(ORACLE, 0, id="train/000000"), "none of the splits"),
        (changed(ORACLE, 0, actions=(0, 0, 0, 70), chain=""), "accepted: 0..69"),
        (changed(ORACLE, 0, actions=(*ORACLE.episodes[0].actions, 3)), "ended after 4"),
        (changed(ORACLE, 0, actions=(0,) * 33, chain=""), "ended after 32"),
        (changed(ORACLE, 0, actions=(0,), chain=""), "the trace ends after"),
        (changed(ORACLE, 0, actions=(), chain=""), "the trace ends after"),
        (changed(ORACLE, 0, chain="0" * 32), "not those of modality 'state'"),
        (changed(RANDOM, 0, actions=RANDOM.episodes[0].actions[::-1]), "not those of modality"),
    ],
)
def test_what_cannot_have_happened_is_rejected(trace: Trace, message: str) -> None:
    with pytest.raises(SubmissionError, match=message):
        result_of(trace)


def test_observations_of_another_modality_are_rejected() -> None:
    agent = msgspec.structs.replace(ORACLE.header.agent, modality="text")
    other = Trace(msgspec.structs.replace(ORACLE.header, agent=agent), ORACLE.episodes)
    with pytest.raises(SubmissionError, match="modality 'text'"):
        result_of(other)


def test_a_trace_made_on_other_episodes_is_rejected() -> None:
    moved = episode(0, APPLE.instruction, APPLE.goal, {"apple_0": "chair"})
    other = EpisodeList([moved, *HANDMADE[1:]])
    with pytest.raises(SubmissionError, match="other episodes of 'context'"):
        result_of(ORACLE, other)


def test_claiming_more_episodes_than_there_are_is_rejected() -> None:
    facts = DatasetFacts(num_episodes=5, sha256="0" * 64)
    more = Trace(msgspec.structs.replace(ORACLE.header, datasets={"context": facts}), ())
    with pytest.raises(SubmissionError, match="declares 5 episodes"):
        result_of(more)


def test_a_split_that_does_not_exist_is_rejected() -> None:
    def none(split: str) -> EpisodeList:
        raise DatasetError("no such split")

    with pytest.raises(SubmissionError, match="cannot be opened"):
        score(ORACLE, none)


def test_groups_are_the_papers_and_total_is_the_mean_of_nine() -> None:
    sources = {}
    lines: list[EpisodeTrace] = []
    for index, split in enumerate(SPLITS):
        if split in ("train", "train_mini"):
            continue
        agent = "oracle" if index % 2 else "random"
        pair = [
            episode(0, APPLE.instruction, APPLE.goal, {"apple_0": "sofa"}, APPLE.plan, split=split),
            episode(1, HIDDEN.instruction, on("mug", "sofa"), {"mug_0": "chair"},
                    ("nav(chair)", "pick(mug)", "nav(sofa)", "place(sofa)"), split=split),
        ]  # fmt: skip
        sources[split] = EpisodeList(pair)
        lines += traces_of(agent, pair).values()
    facts = AgentFacts(name="mixed", modality="state")
    trace = Trace(header_of(facts, Plan(sources=list(sources.values()))), tuple(lines))
    result = score(trace, sources.__getitem__)
    means = {split: scores.success.mean for split, scores in result.splits.items()}
    assert set(result.groups) == {"PR", "BG", "Total"}
    assert len(GROUPS["PR"]) == 5
    assert len(GROUPS["BG"]) == 4
    for name, members in GROUPS.items():
        expected = sum(means[split] for split in members) / len(members)
        assert result.groups[name].success.mean == pytest.approx(expected)
    assert "new_scenes" not in GROUPS["Total"]
    assert "train_eval" not in GROUPS["Total"]
    assert set(means.values()) == {0.0, 1.0}


def test_groups_need_all_their_splits() -> None:
    assert result_of(ORACLE).groups == {}


def test_results_are_the_same_on_every_run() -> None:
    assert result_of(RANDOM) == result_of(RANDOM)


def test_replay_counts_what_happened() -> None:
    nothing = skill_index("pick(apple)")
    actions = (nothing, *(skill_index(s) for s in APPLE.plan))
    replayed = replay(APPLE, EpisodeTrace(id=APPLE.id, actions=actions), header())
    assert replayed.success
    assert (replayed.steps, replayed.invalid, replayed.regret) == (5, 1, 1)
    assert replayed.outcomes == ("not_near", "ok", "ok", "ok", "ok")
    assert replayed.efficiency == 1 - 5 / 32
    assert replayed.reward == pytest.approx(10 + 5 - 0.1 - 5 * 0.01)
    assert replayed.subgoals == 1.0


@given(st.lists(st.integers(0, 69), max_size=40))
def test_any_actions_are_replayed_or_rejected_and_never_gain(actions: list[int]) -> None:
    line = EpisodeTrace(id=HIDDEN.id, actions=tuple(actions), success=True)
    try:
        replayed = replay(HIDDEN, line, header())
    except SubmissionError:
        return
    assert replayed.steps == len(actions)
    assert replayed.success == (replayed.states[-1].receptacles[0] == 2)
    assert 0 <= replayed.efficiency < 1


@pytest.mark.parametrize(
    ("modality", "reason"),
    [
        ("sonar", "observation='sonar'; accepted: 'rgb'"),
        ("no_such_module:Map", "importing 'no_such_module' failed"),
        ("langrearrange.env:NoMap", "has no class 'NoMap'"),
        ("langrearrange.env:Rules", "takes 1 positional argument"),
    ],
)
def test_a_modality_that_cannot_be_had_here_is_refused_in_a_sentence(
    modality: str, reason: str
) -> None:
    agent = msgspec.structs.replace(ORACLE.header.agent, modality=modality)
    trace = Trace(msgspec.structs.replace(ORACLE.header, agent=agent), ORACLE.episodes)
    with pytest.raises(SubmissionError, match=reason) as caught:
        score(trace, lambda split: SOURCE, observations=[modality])
    assert f"of modality '{modality}', which cannot be verified here" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("modality", ["os:abort", "somebodys_module:Map"])
def test_no_module_is_imported_that_the_scorer_did_not_name(modality: str) -> None:
    agent = msgspec.structs.replace(ORACLE.header.agent, modality=modality)
    trace = Trace(msgspec.structs.replace(ORACLE.header, agent=agent), ORACLE.episodes)
    with pytest.raises(SubmissionError, match="name it with --observation"):
        result_of(trace)


def test_a_chain_of_another_modality_is_refused() -> None:
    agent = msgspec.structs.replace(ORACLE.header.agent, modality="text")
    trace = Trace(msgspec.structs.replace(ORACLE.header, agent=agent), ORACLE.episodes)
    with pytest.raises(SubmissionError, match="not those of modality 'text'"):
        result_of(trace)


RANKED = dataclasses.replace(result_of(run_of("explorer")), foreign=())
ROUND = "ab" * 32
PLAYED = Conditions(interface="http", isolation="remote", round=ROUND)
SUSPICIOUS = Clairvoyance(num_looks=40, hits=40, expected=6.0, p_value=1e-9)
DEVIATIONS: dict[str, dict[str, Any]] = {
    "a privileged agent": {"agent": {"privileged": True}},
    "a longer horizon": {"header": {"horizon": 33}},
    "a shorter horizon": {"header": {"horizon": 31}},
    "a modality of the agent's own": {"agent": {"modality": "grid"}},
    "a part of a split": {"partial": ("context",)},
    "an episode without a hash of what was seen": {"unchained": 1},
    "all episodes without one": {"unchained": len(HANDMADE)},
    "hits that are no chance": {"clairvoyance": SUSPICIOUS},
    "episodes of somebody's own": {"foreign": ("context",)},
}


def deviating(
    agent: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
    unchained: int = 0,
    **fields: Any,
) -> Result:
    changed_agent = msgspec.structs.replace(RANKED.header.agent, **(agent or {}))
    changed_header = msgspec.structs.replace(RANKED.header, agent=changed_agent, **(header or {}))
    episodes = tuple(
        dataclasses.replace(played, chained=played.chained and row >= unchained)
        for row, played in enumerate(RANKED.episodes)
    )
    return dataclasses.replace(RANKED, header=changed_header, episodes=episodes, **fields)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("name", DEVIATIONS)
def test_any_single_deviation_leaves_a_run_unranked(name: str, sealed: bool) -> None:
    changes = dict(DEVIATIONS[name])
    sealing: dict[str, Any] = {"round": ROUND if sealed else "", "header": {"played": PLAYED}}
    assert deviating(**sealing).tier == ("T2" if sealed else "T1")
    changes["header"] = {"played": PLAYED} | changes.get("header", {})
    assert deviating(**sealing | changes).tier == "T0"


@pytest.mark.parametrize("isolation", ["none", "process", "user", "sandbox", "remote"])
def test_sealed_episodes_rank_only_where_the_agent_was_kept_from_them(isolation: Any) -> None:
    played = Conditions(isolation=isolation, round=ROUND)
    ranked = isolation not in ("none", "process")
    run = deviating(round=ROUND, header={"played": played})
    assert run.tier == ("T2" if ranked else "T0")
    assert deviating(header={"played": played}).tier == "T1", "published ones are open to all"
    assert dataclasses.replace(run, compared="some").tier == "T0"


def test_missing_episodes_count_as_failed_and_unrank_nothing() -> None:
    assert deviating(num_missing=3).tier == "T1"
