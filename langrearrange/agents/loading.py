"""Loads agents by name: bundled ones, those of other packages, `module:Class`. Runs none."""

import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, Final

from langrearrange.agents.blind_sweep import BlindSweepAgent
from langrearrange.agents.explorer import ExplorerAgent
from langrearrange.agents.human import HumanAgent
from langrearrange.agents.isolation import Sandbox
from langrearrange.agents.oracle import OracleAgent
from langrearrange.agents.process import Limits, ProcessAgent
from langrearrange.agents.protocol import Agent, BatchedAgent, PrivilegedAgent
from langrearrange.agents.random_agent import RandomAgent
from langrearrange.agents.rows import RowsOfAgents
from langrearrange.env.observer import MODALITIES, is_modality
from langrearrange.errors import AgentError, did_you_mean
from langrearrange.loading import call_factory, load_object, takes

BUNDLED: Final[dict[str, Callable[[], Agent]]] = {
    "random": RandomAgent,
    "oracle": OracleAgent,
    "explorer": ExplorerAgent,
    "blind_sweep": BlindSweepAgent,
}
"""Name -> class of the bundled agents; `human` is a person."""
REFERENCE_AGENTS: Final = ("explorer", "blind_sweep")
"""The two rows shown on every board."""


_OWN: Final[dict[str, Callable[..., Any]]] = {**BUNDLED, "human": HumanAgent}
GROUP: Final = "langrearrange.agents"
"""Entry points of installed packages: name -> class or factory function."""


def agent_names() -> tuple[str, ...]:
    """Return the names of all agents that are bundled or registered by an installed package."""
    return (*_OWN, *sorted(entry_points(group=GROUP).names - _OWN.keys()))


def load_agent(name: str, *, seed: int = 0, hard: bool = False) -> Agent:
    """Return a new single agent.

    Args:
        name: a bundled agent, an entry point of the group `langrearrange.agents`, or
            `module:Class`; the working directory is searched for modules. The class, or a factory
            function, is called with `seed` and `hard` if it accepts them.
        seed: for agents that use random numbers.
        hard: whether the hard variant is played, where an agent must call `stop` (70).

    Raises:
        AgentError: the agent does not exist, its module fails to import, or it violates the
            protocol.
    """
    agent = _build(name, seed, hard)
    if not (callable(getattr(agent, "reset", None)) and callable(getattr(agent, "act", None))):
        raise AgentError(
            f"agent '{name}' is a {type(agent).__name__} without reset(instruction) and "
            "act(observation) -> int; add both"
            + (
                ". It is a batched agent: use load_rows, or --in-process"
                if _is_batched(agent)
                else ""
            )
        )
    _check_modality(name, agent)
    return agent  # type: ignore[no-any-return]


def load_rows(
    name: str, *, seed: int = 0, hard: bool = False, checkpoint: str = ""
) -> BatchedAgent:
    """Return a batched agent; an agent without `act_rows` gets one instance per row.

    Args:
        name: as for `load_agent`.
        seed: for agents that use random numbers.
        hard: whether the hard variant is played.
        checkpoint: for agents that are trained: the folder of their weights.

    Raises:
        AgentError: as for `load_agent`, or the agent takes no checkpoint.
    """
    agent = _build(name, seed, hard, checkpoint)
    if _is_batched(agent):
        _check_modality(name, agent)
        return agent  # type: ignore[no-any-return]
    return RowsOfAgents(lambda: load_agent(name, seed=seed, hard=hard))


def in_own_process(
    name: str,
    limits: Limits | None = None,
    *,
    seed: int = 0,
    hard: bool = False,
    sandbox: Sandbox | None = None,
) -> RowsOfAgents:
    """Return an agent of this package or `module:Class` that runs in its own process.

    Args:
        name: as for `load_agent`; privileged agents raise AgentError.
        limits: of time, memory, processes.
        seed: for agents that use random numbers.
        hard: whether the hard variant is played.
        sandbox: isolate it; None: do not.

    Raises:
        AgentError: the process does not start.
    """
    command = [sys.executable, "-m", "langrearrange.agents.serve", name, str(seed)]
    command += ["hard"] * hard
    return RowsOfAgents(
        lambda: ProcessAgent(command, limits, hard=hard, shared=True, sandbox=sandbox)
    )


def from_command(
    command: str | Sequence[str],
    limits: Limits | None = None,
    *,
    hard: bool = False,
    sandbox: Sandbox | None = None,
) -> RowsOfAgents:
    """Return an agent that is a program; it implements the protocol on stdin and stdout.

    Args:
        command: program and arguments; a string is split like a shell command; no shell is run.
        limits: of time, memory, processes.
        hard: whether the hard variant is played.
        sandbox: isolate it; None: do not.

    Raises:
        AgentError: the program does not start, or its handshake is invalid.
    """
    parts = shlex.split(command) if isinstance(command, str) else list(command)
    if not parts:
        raise AgentError("the agent's command is empty; give a program and its arguments")
    return RowsOfAgents(lambda: ProcessAgent(parts, limits, hard=hard, sandbox=sandbox))


def is_privileged(agent: object) -> bool:
    """Whether the agent receives episodes (`bind`, `bind_rows`); its results are marked."""
    if isinstance(agent, RowsOfAgents):
        return agent.privileged
    return isinstance(agent, PrivilegedAgent) or callable(getattr(agent, "bind_rows", None))


def close_agent(agent: object) -> None:
    """Close an agent that has a `close`. May be called more than once."""
    close = getattr(agent, "close", None)
    if callable(close):
        close()


def _is_batched(agent: object) -> bool:
    return all(callable(getattr(agent, name, None)) for name in ("reset_rows", "act_rows"))


def _check_modality(name: str, agent: object) -> None:
    modality = getattr(agent, "modality", None)
    if not is_modality(modality):
        raise AgentError(
            f"agent '{name}' has modality {modality!r}; accepted: {', '.join(MODALITIES)} or "
            "module:factory. Set it as a class attribute."
        )


def _build(name: str, seed: int, hard: bool, checkpoint: str = "") -> Any:
    make, known = _find(name), {"seed": seed, "hard": hard}
    if checkpoint and not takes(make, "checkpoint"):
        raise AgentError(f"agent '{name}' takes no checkpoint; leave it out")
    given = {"checkpoint": checkpoint} if checkpoint else {}
    return call_factory(make, f"agent '{name}'", AgentError, **known, **given)


def _find(name: str) -> Callable[..., Any]:
    """Return the class or factory of an agent."""
    if name in _OWN:
        return _OWN[name]
    found = entry_points(group=GROUP, name=name)
    if found:
        return load_object(found[name].value, "agent", AgentError)  # type: ignore[no-any-return]
    if ":" not in name:
        names = agent_names()
        raise AgentError(
            f"unknown agent '{name}'; accepted: {', '.join(names)} or module:Class"
            + did_you_mean(name, names)
        )
    return load_object(name, "agent", AgentError)  # type: ignore[no-any-return]
