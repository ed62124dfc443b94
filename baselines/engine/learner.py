"""What a learner is, and the table of those that are known. Not for any particular one.

A learner is a kind of policy that can be trained and played. It is known by its name in `LEARNERS`
or as `module:Class`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from langrearrange.errors import UsageError, did_you_mean
from langrearrange.loading import load_object
from langrearrange.seeding import digest

if TYPE_CHECKING:  # registering a learner must not load torch
    from .config import RunConfig
    from .encoder import Encoder
    from .episodes import RunningEpisodes, Sizes
    from .policy import Policy


class Learner(Protocol):
    """A kind of policy.

    Attributes:
        settings: names of those settings that change what its weights mean: weights trained with
            other values are refused.
    """

    settings: tuple[str, ...]

    def make_policy(self, config: RunConfig, encoder: Encoder, num_actions: int) -> Policy:
        """Return an untrained policy, on any device.

        Draw weights from torch's global generator, or from `derived_seed(config.seed, ...)`: both
        make them the same in every process.

        Raises:
            UsageError: settings that it cannot follow.
        """
        ...

    def make_episodes(self, config: RunConfig, policy: Policy, sizes: Sizes) -> RunningEpisodes:
        """Return running episodes for a policy of its own."""
        ...


LEARNERS: Final[dict[str, Learner | str]] = {}
"""Name -> learner, or `module:Class`, which is imported when it is first used. The one place to
register a learner: `LEARNERS["mine"] = "my_package.mine:Mine"`."""


def find_learner(name: str) -> Learner:
    """Return a learner.

    Args:
        name: as registered, or `module:Class`; the working directory is searched for modules. The
            class is called without arguments.

    Raises:
        UsageError: there is none of this name, or it lacks a method.
    """
    entry = LEARNERS.get(name, name)
    if isinstance(entry, str) and ":" not in entry:
        accepted = f"{', '.join(LEARNERS)} or module:Class{did_you_mean(name, LEARNERS)}"
        raise UsageError(f"no learner '{name}'; accepted: {accepted}")
    try:
        found = load_object(entry, "learner")() if isinstance(entry, str) else entry
    except TypeError as error:
        raise UsageError(f"learner '{name}' cannot be made without arguments: {error}") from error
    for part in ("settings", "make_policy", "make_episodes"):
        if not hasattr(found, part):
            raise UsageError(f"learner '{name}' has no '{part}'; see the Learner protocol")
    learner: Learner = found
    return learner


def derived_seed(*parts: str | int) -> int:
    """Return a seed of 63 bits that depends on all the parts."""
    return int.from_bytes(digest("llarp", *parts)[:8], "big") >> 1


@contextmanager
def seeded(*parts: str | int) -> Iterator[None]:
    """Seed torch's global generator on the CPU from these parts; restore it afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(*parts))
        yield
