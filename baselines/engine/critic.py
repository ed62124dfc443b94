"""A separate critic: values of whole rollouts, without a gradient into the policy.

Values are only needed once a rollout is complete, so it keeps no memory between steps: it reads
each running episode again from its first step.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from .encoder import Encoded
from .packing import Rows
from .recurrent import run_gru

WORDS: Final = 8192


class Critic(nn.Module):
    """Maps observations, the instruction as a bag of tokens, and privileged facts to values.

    Without privileged facts a GRU carries a memory of the episode; with them the state is known.

    Args:
        input_dim: numbers of an observation, flattened features and proprioception.
        privileged_dim: numbers of privileged facts; 0: none.
        width: width of its layers.
    """

    def __init__(self, input_dim: int, privileged_dim: int, width: int = 256) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(WORDS, width, mode="sum")
        nn.init.normal_(self.words.weight, std=0.05)
        self.observation = nn.Linear(input_dim + privileged_dim, width)
        self.memory = None if privileged_dim else nn.GRUCell(width, width)
        self.body = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.value = nn.Sequential(nn.ReLU(), nn.Linear(width, 1))

    def forward(self, rows: Rows, last: Encoded, privileged: Tensor | None) -> Tensor:
        """Return values (rows, steps + 1): before each action, and of the observation after all.

        Args:
            rows: of a rollout.
            last: the observation of each row after its last step.
            privileged: (rows, steps + 1, privileged_dim); None if `privileged_dim` is 0.
        """
        seen = torch.cat([rows.features, last.features[:, None]], 1).flatten(2).float()
        seen = torch.cat([seen, torch.cat([rows.proprio, last.proprio[:, None]], 1)], -1)
        said, number = self._said(rows)
        if self.memory is None:
            assert privileged is not None
            seen = self.observation(torch.cat([seen, privileged], -1)).relu() + said
            remembered = seen
        else:
            seen = self.observation(seen).relu() + said
            remembered = self._remember(rows, seen, said, number)
        return self.value(self.body(torch.cat([seen, remembered], -1)))[..., 0]  # type: ignore[no-any-return]

    def _said(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """Return the instruction of each step as a vector, and the number of its episode."""
        segments, device = rows.segments, rows.features.device
        ids = torch.tensor([i % WORDS for one in segments.instructions for i in one.ids])
        starts = segments.lengths.cumsum(0) - segments.lengths
        which = segments.of_steps(rows.features.shape[1] + 1).to(device)
        return self.words(ids.to(device), starts.to(device))[which], which

    def _remember(self, rows: Rows, seen: Tensor, said: Tensor, number: Tensor) -> Tensor:
        """Return the state after each step, carried steps of a row's first episode included."""
        assert self.memory is not None
        cell, device = self.memory, seen.device
        counts = rows.carried.counts.to(device)[:, None]
        most = int(counts.max())
        begins = torch.zeros_like(number, dtype=torch.bool)
        begins[:, 1:] = number[:, 1:] != number[:, :-1]
        begins[:, :1] = counts == 0
        if most:
            carried = rows.carried.features[:, :most].flatten(2).float()
            before = torch.cat([carried, rows.carried.proprio[:, :most]], -1)
            before = self.observation(before).relu() + said[:, :1]
            # They end where the rollout begins.
            place = torch.arange(most, device=device) - most + counts
            before = before.gather(1, place.clamp(min=0)[..., None].expand_as(before))
            seen, begins = torch.cat([before, seen], 1), torch.cat([place == 0, begins], 1)
        inputs = linear(seen, cell.weight_ih, cell.bias_ih)
        state = seen.new_zeros(seen.shape[0], seen.shape[2])
        states = run_gru(inputs, begins, state, lambda s: linear(s, cell.weight_hh, cell.bias_hh))
        return states[:, most:]
