"""Options of an agent outside the evaluator's process: isolation and limits. Not which agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes

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
