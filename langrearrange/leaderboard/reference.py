"""The two rows that stand on every board: `explorer` and `blind_sweep`, played when needed."""

from __future__ import annotations

from collections.abc import Mapping

from langrearrange.agents import REFERENCE_AGENTS, load_rows
from langrearrange.dataset import EpisodeSource
from langrearrange.leaderboard.evaluate import Plan, header_of
from langrearrange.leaderboard.score import Result, score
from langrearrange.leaderboard.trace import AgentFacts, EpisodeTrace, Protocol, Trace
from langrearrange.leaderboard.workers import play_here
from langrearrange.world.vocabulary import HORIZON


def reference_results(
    sources: Mapping[str, EpisodeSource], *, protocol: Protocol = "paper", horizon: int = HORIZON
) -> dict[str, Result]:
    """Let the reference agents play splits and score them; under a millisecond an episode.

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
        agent = load_rows(name)
        facts = AgentFacts(name=name, modality=agent.modality, note="reference row")  # type: ignore[arg-type]
        lines: list[EpisodeTrace] = []
        for source in plan.sources:
            lines += play_here(
                agent, source, list(map(source.id_at, range(len(source)))), plan.rules
            )
        trace = Trace(header_of(facts, plan), tuple(lines))
        results[name] = score(trace, sources.__getitem__)
    return results
