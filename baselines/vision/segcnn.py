"""The default encoder: a small convolutional network with the read-outs it was pretrained on.

No weights here (`loading`) and no training (`pretrain`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from langrearrange.errors import UsageError
from langrearrange.world.vocabulary import NUM_CATEGORIES

from .encoder import CHUNK, VisionEncoder
from .labels import CELL_PX, NUM_CELL_CLASSES, NUM_HELD, NUM_OPEN, NUM_SPOTS

Precision = Literal["float32", "bfloat16"]
MemoryFormat = Literal["channels_last", "contiguous"]

_MEMORY_FORMATS: Final = {
    "channels_last": torch.channels_last,
    "contiguous": torch.contiguous_format,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegCnnConfig:
    """Shape of the network.

    Attributes:
        input_size: pixels, a multiple of 32.
        widths: channels at 1/4, 1/8, 1/16 and 1/32 of the input's resolution, multiples of 8.
        evidence: channels that are max-pooled over the picture.
        embedding: numbers the read-outs see.
    """

    input_size: int = 256
    widths: tuple[int, int, int, int] = (48, 96, 160, 192)
    evidence: int = 256
    embedding: int = 320

    def __post_init__(self) -> None:
        if self.input_size < 32 or self.input_size % (2 * CELL_PX):
            raise UsageError(f"input_size={self.input_size}; accepted: a multiple of 32")
        if len(self.widths) != 4 or any(w < 8 or w % 8 for w in self.widths):
            raise UsageError(f"widths={self.widths}; accepted: four multiples of 8")


class ReadOut(NamedTuple):
    """Logits of n pictures; their order and meaning are those of `labels.Labels`."""

    at_stance: Tensor
    in_view: Tensor
    held: Tensor
    spot: Tensor
    opened: Tensor
    cells: Tensor
    """(n, classes, g, g)"""
    embedding: Tensor
    """(n, embedding)"""


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(8, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.norm(self.conv(x)))


def _stage(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False),
        nn.GroupNorm(8, width),
        nn.ReLU(inplace=True),
        _Residual(width),
    )


class SegCnn(nn.Module):
    """Pictures -> read-outs.

    The class of each cell of 16 x 16 pixels comes from the third stage, and what is anywhere in the
    picture from its maximum over cells; the robot's place and what is in reach also need the
    coarser fourth stage. No normalisation at 1/4 resolution: it would cost a third of the time.
    """

    def __init__(self, config: SegCnnConfig) -> None:
        super().__init__()
        self.config = config
        a, b, c, d = config.widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, a, 8, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(a, a, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.fine = nn.Sequential(_stage(a, b), _stage(b, c))
        self.coarse = _stage(c, d)
        self.evidence = nn.Conv2d(c, config.evidence, 1)
        self.cells = nn.Conv2d(config.evidence, NUM_CELL_CLASSES, 1)
        pooled = config.evidence + NUM_CATEGORIES + 2 * d
        width = config.embedding
        self.mix = nn.Sequential(nn.Linear(pooled, width), nn.LayerNorm(width))
        self.read = nn.Linear(width, 2 * NUM_CATEGORIES + NUM_HELD + NUM_SPOTS + NUM_OPEN)

    def coarse_map(self, pictures: Tensor) -> Tensor:
        """Return the fourth stage, (n, widths[3], size / 32, size / 32)."""
        return self.coarse(self.fine(self.stem(_centred(pictures))))  # type: ignore[no-any-return]

    def forward(self, pictures: Tensor) -> ReadOut:
        """Return the read-outs of pictures (n, 3, size, size) in [0, 1], in float32."""
        fine = self.fine(self.stem(_centred(pictures)))
        # A picture alone is computed twice here: its last convolution would round differently.
        coarse = self.coarse(torch.cat([fine, fine]) if len(fine) == 1 else fine)[: len(fine)]
        evidence = torch.relu(self.evidence(fine))
        cells = self.cells(evidence).float()
        things = cells.softmax(1)[:, :NUM_CATEGORIES].amax((2, 3))
        pooled = [evidence.amax((2, 3)), things, coarse.mean((2, 3)), coarse.amax((2, 3))]
        with torch.autocast(pictures.device.type, enabled=False):
            joined = torch.cat([part.float() for part in pooled], 1)
            # So does a matrix product of fewer rows.
            missing = max(0, CHUNK - len(joined))
            embedding = self.mix(functional.pad(joined, (0, 0, 0, missing)))
            sizes = [NUM_CATEGORIES, NUM_CATEGORIES, NUM_HELD, NUM_SPOTS, NUM_OPEN]
            stance, view, held, spot, opened = torch.split(self.read(embedding), sizes, 1)
        rows = slice(len(joined))
        whole = ReadOut(stance, view, held, spot, opened, cells, embedding)
        return ReadOut(*(part[rows] for part in whole))


class SegCnnEncoder(VisionEncoder):
    """A frozen `SegCnn`.

    Its features are the embedding, then the predicted probabilities of what is seen:
    33 categories at the stance, 34 in the hand, 14 spots, 3 states of what opens here.

    Args:
        network: with its weights.
        name: what it was loaded as.
        precision: of the convolutions; `bfloat16` is 2-3 times faster where the CPU has AMX.
        memory_format: of weights and pictures.
    """

    batch_invariant = True

    def __init__(
        self,
        network: SegCnn,
        name: str,
        precision: Precision = "float32",
        memory_format: MemoryFormat = "channels_last",
    ) -> None:
        super().__init__()
        self._memory_format = _MEMORY_FORMATS[memory_format]
        self.network = network.to(memory_format=self._memory_format)  # type: ignore[call-overload]
        self.name = name
        self.precision = precision
        self.input_size = network.config.input_size
        beliefs = NUM_CATEGORIES + NUM_HELD + NUM_SPOTS + NUM_OPEN
        self.feature_dim = network.config.embedding + beliefs
        side = self.input_size // (2 * CELL_PX)
        self.patch_shape = (side * side, network.config.widths[3])
        self.freeze()

    def features(self, pictures: Tensor) -> Tensor:
        """Return (n, feature_dim); see the class."""
        read = self.read(pictures)
        choices = [logits.softmax(1) for logits in (read.held, read.spot, read.opened)]
        return torch.cat([read.embedding, read.at_stance.sigmoid(), *choices], 1)

    def patches(self, pictures: Tensor) -> Tensor:
        """Return the cells of the coarse stage, (n, num_patches, width), row by row."""
        coarse: Tensor = self._fast(self.network.coarse_map, pictures)
        return coarse.flatten(2).transpose(1, 2).float()

    def read(self, pictures: Tensor) -> ReadOut:
        """Return the read-outs themselves, to measure their accuracy."""
        return self._fast(self.network, pictures)  # type: ignore[no-any-return]

    def _fast(self, compute: Callable[[Tensor], Any], pictures: Tensor) -> Any:
        pictures = pictures.contiguous(memory_format=self._memory_format)
        enabled = self.precision == "bfloat16"
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=enabled):
            return compute(pictures)


def _centred(pictures: Tensor) -> Tensor:
    return pictures.mul(4).sub_(2)
