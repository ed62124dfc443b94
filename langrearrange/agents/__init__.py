"""Agents: the protocol, four bundled ones, and loading `module:Class`.

Not for learned agents (these live in `baselines`) and not for scoring (`leaderboard`).
"""

from langrearrange.agents.blind_sweep import BlindSweepAgent, sweep
from langrearrange.agents.explorer import ExplorerAgent
from langrearrange.agents.http_agent import HttpAgent
from langrearrange.agents.human import HumanAgent
from langrearrange.agents.isolation import Sandbox, isolation_here
from langrearrange.agents.loading import (
    BUNDLED,
    REFERENCE_AGENTS,
    close_agent,
    from_command,
    in_own_process,
    is_privileged,
    load_agent,
    load_rows,
)
from langrearrange.agents.oracle import OracleAgent
from langrearrange.agents.process import Limits, ProcessAgent
from langrearrange.agents.protocol import (
    Agent,
    AgentRefusalError,
    AgentTimeoutError,
    BatchedAgent,
    PrivilegedAgent,
    PrivilegedBatchedAgent,
    RunStoppedError,
)
from langrearrange.agents.random_agent import RandomAgent
from langrearrange.agents.rows import RowsOfAgents
from langrearrange.agents.spec import AgentSource, AgentSpec
from langrearrange.env.observer import Observation

__all__ = [
    "BUNDLED",
    "REFERENCE_AGENTS",
    "Agent",
    "AgentRefusalError",
    "AgentSource",
    "AgentSpec",
    "AgentTimeoutError",
    "BatchedAgent",
    "BlindSweepAgent",
    "ExplorerAgent",
    "HttpAgent",
    "HumanAgent",
    "Limits",
    "Observation",
    "OracleAgent",
    "PrivilegedAgent",
    "PrivilegedBatchedAgent",
    "ProcessAgent",
    "RandomAgent",
    "RowsOfAgents",
    "RunStoppedError",
    "Sandbox",
    "close_agent",
    "from_command",
    "in_own_process",
    "is_privileged",
    "isolation_here",
    "load_agent",
    "load_rows",
    "sweep",
]
