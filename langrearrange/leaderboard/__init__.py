"""From an agent to a score that survives replay: rollout, trace, replay, statistics, page.

Not for playing (`env`) and not for printing (`cli`).
"""

from langrearrange.leaderboard.animation import camera_frames, record, write_animation
from langrearrange.leaderboard.board import build_board, read_traces, row_of, write_board
from langrearrange.leaderboard.clairvoyance import Clairvoyance
from langrearrange.leaderboard.compare import Difference, compare
from langrearrange.leaderboard.evaluate import Plan, evaluate, header_of
from langrearrange.leaderboard.groups import GROUPS
from langrearrange.leaderboard.page import build_page, failures_first, write_page
from langrearrange.leaderboard.preflight import Preflight, preflight
from langrearrange.leaderboard.reference import with_reference_rows
from langrearrange.leaderboard.replay import Replayed, replay
from langrearrange.leaderboard.result_json import ResultRecord, read_result, report_json
from langrearrange.leaderboard.rollout import RunRules, play
from langrearrange.leaderboard.score import (
    Group,
    Result,
    Scores,
    TemplateScores,
    group_scores,
    score,
    score_episodes,
    score_trace,
)
from langrearrange.leaderboard.sealed import SealedRound
from langrearrange.leaderboard.spread import Spread, spread
from langrearrange.leaderboard.statistics import (
    Interval,
    mean_ci,
    mean_of_intervals,
    variance_of_mean,
    wilson,
)
from langrearrange.leaderboard.trace import (
    AgentFacts,
    Conditions,
    DatasetFacts,
    EpisodeTrace,
    Header,
    Trace,
)
from langrearrange.leaderboard.trace_reader import read_trace
from langrearrange.leaderboard.trace_writer import TraceWriter

__all__ = [
    "GROUPS",
    "AgentFacts",
    "Clairvoyance",
    "Conditions",
    "DatasetFacts",
    "Difference",
    "EpisodeTrace",
    "Group",
    "Header",
    "Interval",
    "Plan",
    "Preflight",
    "Replayed",
    "Result",
    "ResultRecord",
    "RunRules",
    "Scores",
    "SealedRound",
    "Spread",
    "TemplateScores",
    "Trace",
    "TraceWriter",
    "build_board",
    "build_page",
    "camera_frames",
    "compare",
    "evaluate",
    "failures_first",
    "group_scores",
    "header_of",
    "mean_ci",
    "mean_of_intervals",
    "play",
    "preflight",
    "read_result",
    "read_trace",
    "read_traces",
    "record",
    "replay",
    "report_json",
    "row_of",
    "score",
    "score_episodes",
    "score_trace",
    "spread",
    "variance_of_mean",
    "wilson",
    "with_reference_rows",
    "write_animation",
    "write_board",
    "write_page",
]
