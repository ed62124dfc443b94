"""Which agent plays, what is declared of it, and what its process may reach and need."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes

from langrearrange.cli import common

if TYPE_CHECKING:
    from langrearrange.agents import Limits, Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """What an agent's process may reach and need."""

    isolate: bool = False
    """keep the agent from this process, its files and the network (docs/protocol.md)"""
    network: bool = False
    """with --isolate: let the agent reach the network"""
    agent_files: tuple[Path, ...] = (Path("."),)
    """with --isolate: files and folders the agent may read; it runs in the first"""
    agent_env: tuple[str, ...] = ()
    """with --isolate: further environment variables that the agent keeps"""
    step_timeout_s: float = 60.0
    """an agent outside this process that takes longer for a skill fails the episode"""
    episode_timeout_s: float = 600.0
    """the same for all skills of an episode together"""
    memory_mb: int = 16_384
    """memory of an agent's process, and of all of them with --isolate; 0 for no limit"""
    processes: int = 1_024
    """with --isolate: processes and threads of the agent; 0 for no limit"""
    cpus: int = 0
    """cores that the agent may use; 0 for all"""

    def limits(self) -> Limits:
        """Return the limits of the agent."""
        from langrearrange.agents import Limits

        return Limits(
            step_s=self.step_timeout_s,
            episode_s=self.episode_timeout_s,
            memory_mb=self.memory_mb,
            processes=self.processes,
            cpus=self.cpus,
        )

    def sandbox(self, hidden: tuple[Path, ...] = ()) -> Sandbox:
        """Return what the agent may reach if it is isolated; not what is `hidden`."""
        from langrearrange.agents import Sandbox

        return Sandbox(
            network=self.network,
            files=tuple(map(str, self.agent_files)),
            hidden=tuple(map(str, hidden)),
            environment=self.agent_env,
        )


AgentProcess = Annotated[ProcessOptions, OmitArgPrefixes]


@dataclass(frozen=True, kw_only=True)
class AgentOptions:
    """An agent and what is declared of it."""

    agent: str = ""
    """random, blind_sweep, explorer, oracle, human (you, on a page in the browser), or module:Class
    of your own (in its own process)"""
    agent_cmd: str = ""
    """any program that speaks JSON lines on its stdin and stdout"""
    agent_url: str = ""
    """an HTTP address that answers /hello, /reset and /act"""
    authors: str = ""
    """authors of the agent, for the board"""
    homepage: str = ""
    """web page of the agent, for the board"""
    parameters: str = ""
    """number of parameters, for the board"""
    train_data: str = ""
    """training data, for the board"""
    hard: bool = False
    """the harder variant (paper D.3): an invalid skill ends the episode, `stop` must be called"""
    workers: int = 1
    """processes that play, each with an agent of its own; the episodes are the same"""
    concurrency: int = 1
    """episodes open at a time in this process, each with an agent of its own: for slow agents"""
    dask: common.Dask = None
    process: AgentProcess = field(default_factory=ProcessOptions)
