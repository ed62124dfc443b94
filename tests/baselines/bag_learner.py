"""A learner from outside the package: a bag of words beside the observation, without a memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import torch
from langrearrange_baselines.engine.config import RunConfig
from langrearrange_baselines.engine.encoder import Encoder
from langrearrange_baselines.engine.episodes import RunningEpisodes, Sizes
from langrearrange_baselines.engine.instructions import Instruction, InstructionStore
from langrearrange_baselines.engine.packing import Rows
from langrearrange_baselines.engine.policy import ActionModule, Heads, Policy
from torch import Tensor, nn


def numbers(text: str) -> tuple[int, ...]:
    return tuple(zlib.crc32(word.encode()) % 1000 for word in text.lower().split())


class BagStore(InstructionStore[Instruction]):
    def read(self, missing: Sequence[tuple[int, ...]]) -> Iterable[Instruction]:
        return map(Instruction, missing)


class BagPolicy(Policy):
    def __init__(self, encoder: Encoder, num_actions: int) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(1000, 32)
        self.observation = nn.Linear(encoder.feature_shape[0] + encoder.proprio_dim, 32)
        self.action = ActionModule(32, num_actions, width=32)

    def heads(self, features: Tensor, proprio: Tensor, said: Sequence[Instruction]) -> Heads:
        words = torch.stack([self.words(torch.tensor([one.ids]))[0] for one in said])
        seen = self.observation(torch.cat([features.float(), proprio], -1))
        heads: Heads = self.action(torch.relu(seen + words))
        return heads

    def evaluate(self, rows: Rows) -> Heads:
        which = rows.segments.of_steps(rows.features.shape[1]).flatten().tolist()
        said = [rows.segments.instructions[segment] for segment in which]
        heads = self.heads(rows.features.flatten(0, 1), rows.proprio.flatten(0, 1), said)
        return Heads(*(part.unflatten(0, rows.features.shape[:2]) for part in heads))


class BagEpisodes(RunningEpisodes):
    policy: BagPolicy

    def forward(
        self, features: Tensor, proprio: Tensor, rows: Tensor | None, *, keep: bool
    ) -> Heads:
        which = range(self.num_rows) if rows is None else rows.tolist()
        return self.policy.heads(features, proprio, [self.instructions[row] for row in which])


class Bag:
    settings = ()

    def make_policy(self, config: RunConfig, encoder: Encoder, num_actions: int) -> BagPolicy:
        return BagPolicy(encoder, num_actions)

    def make_episodes(self, config: RunConfig, policy: Policy, sizes: Sizes) -> BagEpisodes:
        assert isinstance(policy, BagPolicy)
        return BagEpisodes(policy, BagStore(numbers), sizes)
