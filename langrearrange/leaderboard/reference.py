"""The two reference rows of every board: `explorer` and `blind_sweep`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langrearrange.agents import REFERENCE_AGENTS, load_rows
from langrearrange.dataset import EpisodeSource
from langrearrange.leaderboard.board import Row, row_of
from langrearrange.leaderboard.evaluate import Plan, conditions_of, header_of
from langrearrange.leaderboard.groups import BOARD_SPLITS
from langrearrange.leaderboard.matching import OpenSource
from langrearrange.leaderboard.rollout import play
from langrearrange.leaderboard.score import Result, score
from langrearrange.leaderboard.trace import AgentFacts, EpisodeTrace, ProtocolName, Trace
from langrearrange.world.vocabulary import HORIZON


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
        facts = AgentFacts(name=name, modality=agent.modality, note="reference row")
        lines: list[EpisodeTrace] = []
        for selection in plan.selections:
            lines += play(agent, selection, plan.rules)
        trace = Trace(header_of(facts, plan, conditions_of(agent, plan)), tuple(lines))
        results[name] = score(trace, sources.__getitem__)
    return results


def with_reference_rows(
    rows: Sequence[Row], open_source: OpenSource, splits: Sequence[str] = BOARD_SPLITS
) -> list[Row]:
    """Play the reference agents for a board.

    Args:
        rows: of the board.
        open_source: gives the splits a board needs.
        splits: their names: the published ones, or those of a round.

    Returns:
        The rows, then the reference rows of each protocol.
    """
    completed = list(rows)
    protocols: dict[ProtocolName, None] = {row.result.run.protocol: None for row in rows}
    for protocol in protocols or {"paper": None}:
        sources = {split: open_source(split) for split in splits}
        played = reference_results(sources, protocol=protocol)
        completed += [row_of(result, reference=True) for result in played.values()]
    return completed
