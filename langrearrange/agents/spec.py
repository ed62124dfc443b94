"""The choice of an agent as a picklable value: a name, a command or an address."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from langrearrange.agents.http_agent import HttpAgent
from langrearrange.agents.isolation import Sandbox
from langrearrange.agents.loading import from_command, in_own_process, load_rows
from langrearrange.agents.process import Limits
from langrearrange.agents.protocol import BatchedAgent
from langrearrange.errors import UsageError


@runtime_checkable
class AgentSource(Protocol):
    """Where agents come from when a run needs several: an `AgentSpec`, or an object of yours."""

    def build(self) -> BatchedAgent:
        """Return a new agent; AgentError if it cannot be loaded or started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """One agent; exactly one of `name`, `command` and `url` is given.

    Attributes:
        name: a bundled agent or `module:Class`.
        command: a program that implements the protocol on stdin and stdout.
        url: an HTTP address that implements it.
        own_process: run `name` in its own process, as ranked runs do.
        seed: for agents that use random numbers.
        hard: whether the hard variant is played.
        limits: of agents outside this process.
        sandbox: isolate an agent in a process of its own; None: do not.
    """

    name: str = ""
    command: str = ""
    url: str = ""
    own_process: bool = False
    seed: int = 0
    hard: bool = False
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.name, self.command, self.url) if value]
        if len(given) != 1:
            raise UsageError(
                f"{len(given)} agents given ({', '.join(given) or 'none'}); name exactly one: an "
                "agent, a command or an address"
            )

    @property
    def label(self) -> str:
        """Default name in tables, at most 100 characters."""
        return (self.name or self.command or self.url)[:100]

    def build(self) -> BatchedAgent:
        """Return a new agent; AgentError if it cannot be loaded or started."""
        if self.url:
            return HttpAgent(self.url, self.limits, hard=self.hard)
        if self.command:
            return from_command(self.command, self.limits, hard=self.hard, sandbox=self.sandbox)
        if self.own_process:
            return in_own_process(
                self.name, self.limits, seed=self.seed, hard=self.hard, sandbox=self.sandbox
            )
        return load_rows(self.name, seed=self.seed, hard=self.hard)
