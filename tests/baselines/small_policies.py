"""Small policies, random episodes and a slow way to compute what the engine computes fast."""

from __future__ import annotations

import torch
from langrearrange_baselines.engine.encoder import FEATURE_DTYPE
from langrearrange_baselines.engine.episodes import Sizes
from langrearrange_baselines.engine.packing import Rows, Segment, Segments
from langrearrange_baselines.engine.policy import ActionModule
from langrearrange_baselines.engine.tiny import WordTokenizer, tiny_model
from langrearrange_baselines.llarp.backbone import Backbone
from langrearrange_baselines.llarp.cache import Capture
from langrearrange_baselines.llarp.episodes import LlarpEpisodes
from langrearrange_baselines.llarp.observation import ObservationModule
from langrearrange_baselines.llarp.policy import LlarpPolicy
from langrearrange_baselines.llarp.prefixes import PrefixStore
from torch import Tensor

FEATURE_DIM, PROPRIO_DIM, NUM_ACTIONS, HORIZON = 12, 3, 7, 8
SENTENCES = (
    "Bring me the red ball.",
    "Put the lid in the sink, then come back to the sofa and wait there.",
    "Find a mug!",
    "Swap the apple on the table with the pear in the fridge.",
)
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}


def small_policy(seed: int = 0, tokens_per_step: int = 1, **changes: object) -> LlarpPolicy:
    backbone = Backbone(tiny_model(seed, **(SMALL | changes)), WordTokenizer())
    return policy_on(backbone, seed, tokens_per_step)


def policy_on(backbone: Backbone, seed: int = 0, tokens_per_step: int = 1) -> LlarpPolicy:
    torch.manual_seed(seed)
    shape = (FEATURE_DIM,) if tokens_per_step == 1 else (5, FEATURE_DIM)
    width = backbone.hidden_size
    observation = ObservationModule(shape, PROPRIO_DIM, width, tokens_per_step=tokens_per_step)
    policy = LlarpPolicy(backbone, observation, ActionModule(width, NUM_ACTIONS, 32))
    torch.nn.init.normal_(policy.action.policy.weight, std=0.3)  # so that logits differ visibly
    return policy


def episodes_of(policy: LlarpPolicy, num_rows: int) -> LlarpEpisodes:
    shape = (FEATURE_DIM,) if policy.tokens_per_step == 1 else (5, FEATURE_DIM)
    sizes = Sizes(num_rows, HORIZON, shape, PROPRIO_DIM)
    return LlarpEpisodes(policy, PrefixStore(policy.backbone), sizes)


class Played:
    """Rollouts with random observations and random ends, and what the policy said on the way."""

    def __init__(self, policy: LlarpPolicy, num_rows: int, seed: int) -> None:
        self.episodes = episodes_of(policy, num_rows)
        self.rng = torch.Generator().manual_seed(seed)
        self.num_rows = num_rows
        self.episodes.begin(
            range(num_rows), [SENTENCES[i % len(SENTENCES)] for i in range(num_rows)]
        )

    def observe(self) -> tuple[Tensor, Tensor]:
        shape = self.episodes.features.shape[2:]
        features = torch.randn(self.num_rows, *shape, generator=self.rng).to(FEATURE_DTYPE)
        return features, torch.randn(self.num_rows, PROPRIO_DIM, generator=self.rng)

    def rollout(self, num_steps: int) -> tuple[Rows, Tensor, Tensor]:
        carried = self.episodes.refresh()
        seen, logits, values = [], [], []
        segments: list[Segment] = []
        start = [0] * self.num_rows
        for t in range(num_steps):
            features, proprio = self.observe()
            prefixes = list(self.episodes.instructions)
            heads = self.episodes.step(features, proprio)
            seen.append((features, proprio))
            logits.append(heads.logits)
            values.append(heads.value)
            for row in range(self.num_rows):
                draw = float(torch.rand((), generator=self.rng))
                over = draw < 0.25 or int(self.episodes.counts[row]) == HORIZON
                if over or t == num_steps - 1:
                    segments.append(Segment(row, start[row], t + 1, prefixes[row]))
                    start[row] = t + 1
                if over:
                    pick = int(torch.randint(len(SENTENCES), (), generator=self.rng))
                    self.episodes.begin([row], [SENTENCES[pick]])
        rows = Rows(
            torch.stack([f for f, _ in seen], 1),
            torch.stack([p for _, p in seen], 1),
            Segments.collect(segments),
            carried,
        )
        return rows, torch.stack(logits, 1), torch.stack(values, 1)


def recomputed(policy: LlarpPolicy, rows: Rows) -> tuple[Tensor, Tensor]:
    """Logits and values, each episode alone, from its sentence on, without any cache."""
    num_rows, num_steps = rows.features.shape[:2]
    logits, values = [], []
    for row, start, stop, instruction in rows.segments:
        count = int(rows.carried.counts[row]) if start == 0 else 0
        features, proprio = (
            torch.cat([before[row, :count], own[row, start:stop]])
            for before, own in (
                (rows.carried.features, rows.features),
                (rows.carried.proprio, rows.proprio),
            )
        )
        backbone = policy.backbone
        words = backbone.embed(torch.tensor([instruction.ids])).float()
        tokens = torch.cat([words, policy.tokens(features[None], proprio[None])], 1)
        length, prefix = tokens.shape[1], len(instruction)
        mask = torch.ones(length, length, dtype=torch.bool).tril()
        if backbone.bidirectional_prefix:
            mask[:prefix, :prefix] = True
        hidden = backbone(tokens, mask[None, None], torch.arange(length)[None], Capture())
        heads = policy.heads(hidden[:, prefix:])
        logits.append(heads.logits[0, count:])
        values.append(heads.value[0, count:])
    return (
        torch.cat(logits).reshape(num_rows, num_steps, -1),
        torch.cat(values).reshape(num_rows, num_steps),
    )
