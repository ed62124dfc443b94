"""The two rows that stand on every board: `explorer` and `blind_sweep`, played when needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from langrearrange.agents import REFERENCE_AGENTS, load_rows
from langrearrange.dataset import EpisodeSource
from langrearrange.leaderboard.evaluate import Plan, header_of
from langrearrange.leaderboard.groups import BOARD_SPLITS
from langrearrange.leaderboard.matching import OpenSource
from langrearrange.leaderboard.result_json import report_json
from langrearrange.leaderboard.rollout import play
from langrearrange.leaderboard.score import Result, score
from langrearrange.leaderboard.trace import AgentFacts, EpisodeTrace, ProtocolName, Trace
from langrearrange.world.vocabulary import HORIZON

REFERENCE_NOTE: Final = "reference row"
"""Marks these rows in a header."""


def reference_results(
    sources: Mapping[str, EpisodeSource],
    *,
    protocol: ProtocolName = "paper",
    horizon: int = HORIZON,
) -> dict[str, Result]:
    """Let the reference agents play splits and score them; one or two milliseconds an episode.

    Args:
        sources: split -> its episodes.
        protocol: `paper` or `hard`.
        horizon: skills an episode may take.

    Returns:
        Agent name -> scored run.
    """
    results = {}
    plan = Plan(sources=list(sources.values()), protocol=protocol, horizon=horizon)
    for name in REFERENCE_AGENTS:
        agent = load_rows(name, hard=protocol == "hard")
        facts = AgentFacts(name=name, modality=agent.modality, note=REFERENCE_NOTE)
        lines: list[EpisodeTrace] = []
        for selection in plan.selections:
            lines += play(agent, selection, plan.rules)
        trace = Trace(header_of(facts, plan), tuple(lines))
        results[name] = score(trace, sources.__getitem__)
    return results


def with_reference_rows(
    results: Sequence[Mapping[str, Any]], open_source: OpenSource
) -> list[Mapping[str, Any]]:
    """Add the reference rows that a board of these results lacks.

    Args:
        results: from `report_json`; a row is lacking where an agent of that name with the note
            `reference row` is not among those of a protocol.
        open_source: gives the splits a board needs.

    Returns:
        The results, reference rows behind them.
    """
    completed = list(results)
    for protocol in dict.fromkeys(result["run"]["protocol"] for result in results):
        present = {
            result["run"]["agent"]["name"]
            for result in results
            if result["run"]["protocol"] == protocol
            and result["run"]["agent"].get("note") == REFERENCE_NOTE
        }
        if not present.issuperset(REFERENCE_AGENTS):
            sources = {split: open_source(split) for split in BOARD_SPLITS}
            played = reference_results(sources, protocol=protocol)
            completed += [report_json(played[name]) for name in played if name not in present]
    return completed
