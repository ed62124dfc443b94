"""Recorded episodes as arrays: observations, actions, and an expert's advice.

Frozen features are stored instead of images. Not for recording (`collect`) or training (`clone`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from langrearrange.errors import LangRearrangeError, UsageError

from ..tensors import read_tensors, write_tensors

NO_ADVICE: Final = -1
_FORMAT: Final = "langrearrange-demonstrations-1"
_STEPS: Final = ("features", "proprio", "advice", "actions", "rewards")
_EPISODES: Final = ("sentence", "template", "success")


class DemonstrationError(LangRearrangeError, ValueError):
    """Demonstrations that cannot be read, joined or learned from."""


@dataclass(frozen=True, slots=True, eq=False)
class Demonstrations:
    """Whole episodes, one after the other; n steps, e episodes.

    Attributes:
        features: (n, ...) float16, of the frozen encoder.
        proprio: (n, p) float32.
        advice: (n,) int16, what the expert would do; -1 for none: not learned from.
        actions: (n,) int16, taken.
        rewards: (n,) float32, for them.
        starts: (e + 1,) int64: episode i is steps starts[i] to starts[i + 1].
        sentence: (e,) int64, index into `sentences`.
        template: (e,) int64, index into `templates`.
        success: (e,) bool.
        sentences, templates: the distinct ones.
        source: where it comes from: encoder (`encoder_facts`), expert, split, expert_share.
    """

    features: Tensor
    proprio: Tensor
    advice: Tensor
    actions: Tensor
    rewards: Tensor
    starts: Tensor
    sentence: Tensor
    template: Tensor
    success: Tensor
    sentences: tuple[str, ...]
    templates: tuple[str, ...]
    source: dict[str, Any]

    @property
    def num_steps(self) -> int:
        """Number of steps, n."""
        return int(self.starts[-1])

    @property
    def num_episodes(self) -> int:
        """Number of episodes, e."""
        return len(self.sentence)

    @property
    def success_rate(self) -> float:
        """Share of episodes that succeeded; 0 of none."""
        return float(self.success.float().mean()) if self.num_episodes else 0.0

    def length(self, episode: int) -> int:
        """Return the number of steps of an episode."""
        return int(self.starts[episode + 1] - self.starts[episode])

    def select(self, episodes: Sequence[int]) -> Demonstrations:
        """Return some episodes, in this order."""
        steps = [torch.arange(int(self.starts[i]), int(self.starts[i + 1])) for i in episodes]
        index = torch.cat(steps) if steps else torch.zeros(0, dtype=torch.long)
        chosen = torch.tensor(list(episodes), dtype=torch.long)
        lengths = torch.tensor([len(s) for s in steps], dtype=torch.long)
        starts = torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)])
        changes: dict[str, Any] = {name: getattr(self, name)[index] for name in _STEPS}
        changes |= {name: getattr(self, name)[chosen] for name in _EPISODES}
        return replace(self, starts=starts, **changes)

    def successful(self) -> Demonstrations:
        """Return the episodes that succeeded."""
        return self.select(torch.nonzero(self.success)[:, 0].tolist())

    def with_shuffled_sentences(self, seed: int) -> Demonstrations:
        """Return the same episodes with each other's sentences: a control."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(self.num_episodes, generator=generator)
        return replace(self, sentence=self.sentence[order])

    def blind(self) -> Demonstrations:
        """Return the same episodes with all features 0: a control."""
        return replace(self, features=torch.zeros_like(self.features))


def join(parts: Sequence[Demonstrations]) -> Demonstrations:
    """Return the episodes of all parts, in order.

    Raises:
        DemonstrationError: there are none, or they are of different encoders.
    """
    if not parts:
        raise DemonstrationError("no demonstrations to join; give at least one set")
    first = parts[0]
    encoders = [part.source["encoder"] for part in parts]
    for other in encoders[1:]:
        if other != encoders[0]:
            raise DemonstrationError(
                f"demonstrations of encoders {encoders[0]} and {other} do not mix; record again"
            )
    sentences, sentence = _merged([(p.sentences, p.sentence) for p in parts])
    templates, template = _merged([(p.templates, p.template) for p in parts])
    offsets = np.cumsum([0, *(p.num_steps for p in parts)]).tolist()
    starts = [first.starts[:1]]
    starts += [p.starts[1:] + offset for p, offset in zip(parts, offsets, strict=False)]
    joined: dict[str, Any] = {
        n: torch.cat([getattr(p, n) for p in parts]) for n in (*_STEPS, "success")
    }
    joined |= {"starts": torch.cat(starts), "sentence": sentence, "template": template}
    return replace(first, **joined, sentences=sentences, templates=templates)


def write(demonstrations: Demonstrations, path: Path) -> None:
    """Write a .safetensors file atomically; an existing one is replaced."""
    if path.suffix != ".safetensors":
        raise UsageError(f"{path}: accepted: a name that ends in .safetensors")
    names = (*_STEPS, *_EPISODES, "starts")
    tensors = {name: getattr(demonstrations, name) for name in names}
    words = {name: getattr(demonstrations, name) for name in ("sentences", "templates", "source")}
    metadata = {"format": _FORMAT} | {k: json.dumps(v) for k, v in words.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, tensors, metadata)


def read(path: Path) -> Demonstrations:
    """Read what `write` wrote; DemonstrationError if it is missing, corrupt or inconsistent."""
    remedy = "record demonstrations with imitation.train --save-demonstrations"
    tensors, metadata = read_tensors(path, DemonstrationError, remedy, _FORMAT)
    result = Demonstrations(
        **tensors,
        sentences=tuple(json.loads(metadata["sentences"])),
        templates=tuple(json.loads(metadata["templates"])),
        source=json.loads(metadata["source"]),
    )
    lengths = {len(getattr(result, name)) for name in _STEPS} | {result.num_steps}
    if len(lengths) > 1 or len(result.starts) != result.num_episodes + 1:
        raise DemonstrationError(f"{path}: arrays of different lengths; record it again")
    return result


def _merged(parts: Sequence[tuple[tuple[str, ...], Tensor]]) -> tuple[tuple[str, ...], Tensor]:
    """Return the distinct words of all parts and the indices into them."""
    known: dict[str, int] = {}
    columns = []
    for words, index in parts:
        new = torch.tensor([known.setdefault(w, len(known)) for w in words], dtype=torch.long)
        columns.append(new[index])
    return tuple(known), torch.cat(columns)
