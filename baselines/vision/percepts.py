"""Percepts: the output of a detector for a view, as 84 numbers, each 0 or 1.

Two encoders give them: `PicturePercepts` from pictures, `StatePercepts` from the state observation
with the detector's measured errors (`confusions`). A policy trained on one plays with the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from langrearrange.world import SKILLS, vocabulary
from langrearrange.world.vocabulary import CATEGORIES, NUM_CATEGORIES

from .encoder import VisionEncoder, VisionError
from .labels import NUM_HELD, NUM_OPEN, NUM_SPOTS
from .segcnn import ReadOut, SegCnnEncoder

LAYOUT_VERSION: Final = 1
PARTS: Final = {
    "at_stance": NUM_CATEGORIES,
    "held": NUM_HELD,
    "spot": NUM_SPOTS,
    "opened": NUM_OPEN,
}
"""Parts of the layout and their lengths, in order: categories in reach and not in a closed
container (any number of ones), category in the hand (last: none), spot of the robot (last: start
pose), and nothing to open here, closed or open (exactly one 1 each)."""
NUM_PERCEPTS: Final = sum(PARTS.values())
_NAMES: Final = json.dumps([PARTS, CATEGORIES, vocabulary.SPOTS])
LAYOUT: Final = f"percepts {LAYOUT_VERSION} {blake2b(_NAMES.encode(), digest_size=4).hexdigest()}"
"""Identifies the meaning of the numbers; it takes the place of a fingerprint of weights."""
CONFUSIONS: Final = Path(__file__).parent / "weights" / "segcnn.percepts.json"
"""Measured errors of the shipped detector, made by `confusions`."""
_SPOT_OF_PLACE: Final = np.array(vocabulary.SPOT_OF_PLACE)
_SPOT_OF_OPENABLE: Final = [vocabulary.SPOT_INDEX[name] for name in vocabulary.OPENABLES]
_CLOSED, _OPEN = 1, 2
_OPENED_OF: Final = np.array([_CLOSED, 0, _OPEN])
"""Class of `opened` of the openables' largest value + 1 (closed, unknown, open)."""


class Facts(NamedTuple):
    """Facts of n views, true or detected: (n, 33) bool and three times (n,) int64."""

    at_stance: NDArray[np.bool_]
    held: NDArray[np.int64]
    spot: NDArray[np.int64]
    opened: NDArray[np.int64]

    def percepts(self) -> Tensor:
        """Return the facts as percepts, (n, 84) float16."""
        choices = [np.eye(PARTS[name])[getattr(self, name)] for name in ("held", "spot", "opened")]
        return torch.from_numpy(np.concatenate([self.at_stance, *choices], 1)).half()


def facts_of_percepts(percepts: Tensor) -> Facts:
    """Return the facts that percepts (n, 84) stand for."""
    stance, *choices = torch.split(percepts, list(PARTS.values()), 1)
    return Facts(stance.numpy() > 0.5, *(choice.argmax(1).numpy() for choice in choices))


def facts_of_state(observation: Mapping[str, Any]) -> Facts:
    """Return the facts of a vector env's `state` observation."""
    openables = np.asarray(observation["openables"])
    known = np.take_along_axis(openables, np.abs(openables).argmax(1)[:, None], 1)[:, 0]
    return Facts(
        at_stance=np.asarray(observation["visible"]) > 0,
        held=np.asarray(observation["held"]).argmax(1),
        spot=_SPOT_OF_PLACE[np.asarray(observation["place"]).argmax(1)],
        opened=_OPENED_OF[known + 1],
    )


def valid_skills(facts: Facts) -> NDArray[np.bool_]:
    """Return which skills are valid if the facts hold, (n, 70).

    Exact in the bundled flats, where only objects at the robot's own place are in reach.
    """
    empty = facts.held == NUM_CATEGORIES
    at_spot = facts.spot[:, None] == np.arange(len(vocabulary.SPOTS))
    by_kind = {
        "nav": np.ones((len(empty), vocabulary.NUM_NAV_TARGETS), np.bool_),
        "pick": facts.at_stance & empty[:, None],
        "place": at_spot & ~(empty | (facts.opened == _CLOSED))[:, None],
        "open": at_spot[:, _SPOT_OF_OPENABLE] & (facts.opened == _CLOSED)[:, None],
        "close": at_spot[:, _SPOT_OF_OPENABLE] & (facts.opened == _OPEN)[:, None],
    }
    return np.stack([by_kind[skill.kind][:, skill.argument] for skill in SKILLS], 1)


class Confusions:
    """The errors of a detector, as probabilities.

    Args:
        measured: as `confusions.estimate` returns it.

    Raises:
        VisionError: it was measured for another layout.
    """

    def __init__(self, measured: Mapping[str, Any]) -> None:
        if measured.get("layout") != LAYOUT:
            raise VisionError(
                f"confusions of layout '{measured.get('layout')}', this release has '{LAYOUT}'; "
                "measure again with: python -m langrearrange_baselines.vision.confusions"
            )
        self._miss = np.array([measured["miss"][name] for name in CATEGORIES])
        false = measured["false"]
        self._leak = np.log1p(-np.array([false["anywhere"].get(c, 0.0) for c in CATEGORIES]))
        self._beside_seen, self._beside_missed = (
            np.log1p(-_matrix(false[name], CATEGORIES)) for name in ("beside_seen", "beside_missed")
        )
        numbered = {
            name: tuple(map(str, range(PARTS[name]))) for name in ("held", "spot", "opened")
        }
        self._confused = {
            name: _with_diagonal(_matrix(measured[name], keys)).cumsum(1)
            for name, keys in numbered.items()
        }

    def apply(self, facts: Facts, draws: NDArray[np.float64]) -> Facts:
        """Return detections with errors drawn.

        Args:
            facts: true ones of n views.
            draws: (n, 69) uniform in [0, 1).
        """
        missing, adding, others = np.split(draws, [NUM_CATEGORIES, 2 * NUM_CATEGORIES], 1)
        missed = facts.at_stance & (missing < self._miss[:, facts.spot].T)
        seen = facts.at_stance & ~missed
        kept = self._leak + seen @ self._beside_seen + missed @ self._beside_missed
        false = ~facts.at_stance & (adding < -np.expm1(kept))
        choices = {
            name: (others[:, i : i + 1] >= table[getattr(facts, name)][:, :-1]).sum(1)
            for i, (name, table) in enumerate(self._confused.items())
        }
        return Facts(seen | false, **choices)


class StatePercepts(VisionEncoder):
    """Percepts from the `state` observation: no rendering.

    An error belongs to a view: the same instruction and view give the same error every time, as
    with pictures, so nothing is drawn at random and resuming changes nothing.

    Args:
        confusions: errors to make; None: perfect percepts.
    """

    modality = "state"
    layout = LAYOUT
    input_size = 0
    feature_dim = NUM_PERCEPTS

    def __init__(self, confusions: Confusions | None) -> None:
        super().__init__()
        self.name = "percepts"
        self._confusions = confusions

    @staticmethod
    def load(path: Path = CONFUSIONS) -> StatePercepts:
        """Return percepts with the errors in a file of `confusions`; VisionError if unreadable."""
        try:
            return StatePercepts(Confusions(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, VisionError):
                raise
            raise VisionError(
                f"{path} cannot be read ({error!r:.120}); measure again with: python -m "
                "langrearrange_baselines.vision.confusions"
            ) from error

    def encode(self, rgb: Tensor) -> Tensor:
        """Raise VisionError: a `state` observation has no image."""
        raise VisionError("encoder 'percepts' reads the state; 'percepts:segcnn' reads pictures")

    def encode_observation(self, observation: Mapping[str, Any]) -> Tensor:
        """Return percepts of a vector env's observation, (n, 84) float16."""
        facts = facts_of_state(observation)
        if self._confusions is not None:
            facts = self._confusions.apply(facts, _draws(observation))
        return facts.percepts()


class PicturePercepts(VisionEncoder):
    """Percepts that a detector computes from images.

    Args:
        detector: the network.
    """

    layout = LAYOUT
    batch_invariant = True
    feature_dim = NUM_PERCEPTS

    def __init__(self, detector: SegCnnEncoder) -> None:
        super().__init__()
        self.detector = detector
        self.name = f"percepts:{detector.name}"
        self.input_size = detector.input_size

    def features(self, pictures: Tensor) -> Tensor:
        """Return percepts, (n, 84) float32."""
        return percepts_of_read(self.detector.read(pictures))


def percepts_of_read(read: ReadOut) -> Tensor:
    """Return outputs of the detector as percepts: probabilities above 0.5, likeliest choices."""
    chosen = [
        functional.one_hot(logits.argmax(1), logits.shape[1])
        for logits in (read.held, read.spot, read.opened)
    ]
    return torch.cat([(read.at_stance > 0).long(), *chosen], 1).float()


def _matrix(
    sparse: Mapping[str, Mapping[str, float]], keys: tuple[str, ...]
) -> NDArray[np.float64]:
    return np.array([[sparse.get(a, {}).get(b, 0.0) for b in keys] for a in keys])


def _with_diagonal(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return matrix + np.diag(1.0 - matrix.sum(1))


def _draws(observation: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return 69 numbers in [0, 1) per row that depend on instruction and view alone."""
    view = [np.asarray(observation[n], np.int8) for n in ("place", "held", "visible", "openables")]
    keys = np.array(
        [
            int.from_bytes(blake2b(row.tobytes() + text.encode(), digest_size=8).digest(), "big")
            for row, text in zip(np.concatenate(view, 1), observation["instruction"], strict=True)
        ],
        np.uint64,
    )
    # splitmix64 (Steele et al. 2014): a generator per row would cost more than all else here
    z = keys[:, None] + np.arange(1, 2 * NUM_CATEGORIES + 4, dtype=np.uint64) * np.uint64(
        0x9E3779B97F4A7C15
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = (z ^ (z >> np.uint64(31))) >> np.uint64(11)
    draws: NDArray[np.float64] = mixed.astype(np.float64) * 2.0**-53
    return draws
