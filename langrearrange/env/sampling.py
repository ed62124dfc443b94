"""In which order an env plays its episodes. Keyed by the seed: no generator with hidden state.

The order is a function of sha256(seed, epoch, ...), so a saved env continues exactly and two
machines agree.
"""

import math
from bisect import bisect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from langrearrange.dataset.episode import MAX_VARIANT
from langrearrange.env.episodes import Source, template_positions
from langrearrange.errors import UsageError
from langrearrange.seeding import HOUSE_VERSION, KeyedPermutation, KeyPart, digest


class Draw(NamedTuple):
    """Position of an episode in its source, and which variant of it."""

    position: int
    variant: int


class Pools:
    """What all samplers of a source share: its templates and their episodes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.num_episodes = len(source)
        self.positions: Mapping[str, Sequence[int]] = {
            template: positions
            for template, positions in template_positions(source).items()
            if len(positions)
        }
        self.templates = tuple(self.positions)
        self._weights: list[int] = []

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Draw templates in these proportions from now on, for samplers of the mode `weighted`.

        Args:
            weights: template -> weight above 0; those left out have 1. Empty: uniformly.

        Raises:
            UsageError: a template that the source has not, or a weight that is not above 0.
        """
        for template, weight in weights.items():
            if template not in self.positions or not 0.0 < weight < math.inf:
                raise UsageError(
                    f"weight {weight!r} of template {template!r:.80}; accepted: a number above 0, "
                    f"of {', '.join(self.templates)}"
                )
        ints = [max(1, round(1000 * weights.get(name, 1.0))) for name in self.templates]
        self._weights = list(accumulate(ints)) if weights else []

    def template(self, *key: KeyPart) -> str:
        """Return the template that a key draws."""
        if not self._weights:
            return self.templates[_drawn_below(len(self.templates), *key)]
        return self.templates[bisect(self._weights, _drawn_below(self._weights[-1], *key))]


class Sampler:
    """Draws the next episode.

    Modes:
        weighted: the template uniformly (paper B.2), within a template without replacement; when
            it runs out a new pass begins, keyed by (seed, template, pass).
        uniform: every episode once in a keyed order, then a new pass.
        sequential: file order whatever the seed, then from the start again; with `once` each
            episode is given once and then None.

    Args:
        pools: the source, shared between samplers.
        sampling: the mode.
        variant: the variant to play always.
        fresh_variants: draw the variant instead, keyed by (seed, template, pass, id).
        start, stride: of the sequential mode: this sampler plays start, start + stride, ...
        once: of the sequential mode.
    """

    def __init__(
        self,
        pools: Pools,
        sampling: str,
        variant: int = 0,
        *,
        fresh_variants: bool = False,
        start: int = 0,
        stride: int = 1,
        once: bool = False,
    ) -> None:
        self._pools = pools
        self._templates = frozenset(pools.templates)
        self._sampling = sampling
        self._variant, self._fresh = variant, fresh_variants
        self._start, self._stride, self._once = start, stride, once
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Begin the order of a seed."""
        self._seed, self._cursor = seed, 0
        self._drawn: dict[str, int] = {}

    def saved(self) -> dict[str, Any]:
        """Return where the order stands, JSON-able."""
        return {"seed": self._seed, "cursor": self._cursor, "drawn": dict(self._drawn)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue where another sampler of the same source and mode stood."""
        self._seed, self._cursor = saved["seed"], saved["cursor"]
        self._drawn = dict(saved["drawn"])

    def check(self, saved: Mapping[str, Any]) -> None:
        """Raise UsageError for an order that no sampler of this source and mode has."""
        drawn, cursor = saved["drawn"], saved["cursor"]
        total = cursor if self._sampling == "weighted" else 0
        if saved["seed"] >> 256 or sum(drawn.values()) != total or drawn.keys() - self._templates:
            raise UsageError("the saved order of episodes is none of this env's; save it again")

    @property
    def left(self) -> bool:
        """Whether there is a next episode."""
        return not self._once or self._position() < self._pools.num_episodes

    def next(self) -> Draw | None:
        """Return the next episode and move on; None when `once` and all were given."""
        if not self.left:
            return None
        epoch, rank = divmod(self._position(), self._pools.num_episodes)
        self._cursor += 1
        if self._sampling == "weighted":
            return self._weighted(epoch, rank)
        if self._sampling == "uniform":
            rank = _order(self._pools.num_episodes, self._seed, epoch)[rank]
        return self._draw(rank, epoch)

    def _position(self) -> int:
        return self._start + self._cursor * self._stride

    def _weighted(self, epoch: int, rank: int) -> Draw:
        pools = self._pools
        template = pools.template("env template", self._seed, epoch, rank)
        positions = pools.positions[template]
        drawn = self._drawn.get(template, 0)
        self._drawn[template] = drawn + 1
        pass_, rank = divmod(drawn, len(positions))
        order = _order(len(positions), self._seed, template, pass_)
        return self._draw(positions[order[rank]], pass_)

    def _draw(self, position: int, pass_: int) -> Draw:
        if not self._fresh:
            return Draw(position, self._variant)
        source = self._pools.source
        episode_id, template = source.id_at(position), source.template_at(position)
        key = ("env variant", self._seed, template, pass_, episode_id)
        return Draw(position, 1 + _drawn_below(MAX_VARIANT, *key))


@lru_cache(maxsize=1024, typed=True)
def _order(size: int, *parts: KeyPart) -> KeyedPermutation:
    """Return the order of a pass; the next few draws of the same pass ask for it again."""
    return KeyedPermutation(size, HOUSE_VERSION, "env order", *parts)


def _drawn_below(bound: int, *parts: KeyPart) -> int:
    """Return a uniform integer in [0, bound): one draw of 256 bits, its bias is below 2^-230."""
    return int.from_bytes(digest(*parts), "big") % bound
