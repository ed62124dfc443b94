"""`python -m langrearrange_baselines.vision.confusions`: measure a detector's errors; compare.

Without `--compare` it writes the file that `percepts.StatePercepts` draws its errors from.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

import langrearrange  # noqa: F401 (registers the envs)
from langrearrange.env.state_observation import StateObserver
from langrearrange.errors import UsageError
from langrearrange.progress import progress
from langrearrange.world.vocabulary import CATEGORIES, NUM_CATEGORIES

from ..command import run_module
from ..pretrained import fingerprint
from .encoder import VisionError
from .labels import NUM_SPOTS, Labels, stack
from .loading import WEIGHTS, load_encoder
from .percepts import (
    CONFUSIONS,
    LAYOUT,
    PARTS,
    Facts,
    PicturePercepts,
    StatePercepts,
    facts_of_percepts,
    facts_of_state,
)
from .scenes import Mixture, SceneStream
from .segcnn import SegCnnEncoder

SIZE_EDGES: Final = (1, 8, 32, 128, 512)
"""Bins of an object's size in pixels: 0 (wholly hidden), 1-7, 8-31, 32-127, 128-511, 512 up."""
AS_PLAYED: Final = Mixture(crowded=10, at_receptacle=85, opened=75, holding=40)
_PRIOR: Final = 5.0
"""Weight of the pooled rate in that of a category, and of its sizes anywhere in those at a spot."""
_EM_ROUNDS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionArgs:
    """Measure the errors of the detector on images of training flats and write them as JSON."""

    weights: Path = WEIGHTS
    """a .safetensors file of vision.pretrain"""
    out: Path = CONFUSIONS
    """file to write"""
    num_pictures: int = 8192
    """to measure on"""
    seed: int = 7
    """of the pictures; other than those of pretraining (0 and 1)"""
    compare: int = 0
    """write nothing: play so many views and print how well state and picture percepts agree"""
    split: str = "train"
    """whose flats and episodes"""

    def __post_init__(self) -> None:
        if self.num_pictures < 32 or self.compare < 0:
            raise UsageError("--num-pictures must be 32 or more, --compare 0 or more")


def main(args: ConfusionArgs) -> str:
    """Measure and write, or compare; return what to print."""
    torch.set_num_threads(1)
    detector = load_encoder(args.weights)
    if not isinstance(detector, SegCnnEncoder):
        raise VisionError(f"{args.weights}: only a network of vision.pretrain has read-outs")
    if args.compare:
        table = compare(detector, StatePercepts.load(args.out), args.compare, args.split, args.seed)
        return json.dumps(table, indent=1)
    measured = measure(detector, args)
    args.out.write_text(json.dumps(measured, indent=None) + "\n", encoding="utf-8")
    return str(args.out)


def measure(detector: SegCnnEncoder, args: ConfusionArgs) -> dict[str, Any]:
    """Return the errors of a detector on images of random states, as JSON values."""
    scenes = SceneStream(args.split, args.seed, image_size=detector.input_size, mixture=AS_PLAYED)
    encoder = PicturePercepts(detector)
    labels, found = [], []
    with progress("measure", args.num_pictures // 32, "batches") as advance:
        for _ in range(args.num_pictures // 32):
            rgb, batch = scenes.batch()
            labels.append(batch)
            found.append(encoder.encode(torch.from_numpy(rgb)))
            advance(1, "")
    measured = estimate(stack(labels), facts_of_percepts(torch.cat(found)))
    return {
        "layout": LAYOUT,
        "weights": fingerprint(detector, torch.bfloat16),
        "split": args.split,
        "seed": args.seed,
        **measured,
    }


def estimate(truth: Labels, found: Facts) -> dict[str, Any]:
    """Return the probabilities of errors, as `Confusions` reads them.

    A category is missed depending on its size in pixels; at a spot, which fixes the distance, with
    the sizes that it has there. Rates of few views are drawn towards the pooled ones. A category is
    reported falsely anywhere, or beside another one that was seen or missed: the rates of a noisy
    OR of these causes, fitted by expectation maximisation.

    Args:
        truth: labels of n pictures.
        found: detections in them.
    """
    present = truth.at_stance
    seen, missed = present & found.at_stance, present & ~found.at_stance
    sizes = np.digitize(truth.pixels, SIZE_EDGES)
    bins = sizes[..., None] == np.arange(len(SIZE_EDGES) + 1)
    views, misses = ((part[..., None] & bins).sum(0).astype(float) for part in (present, missed))
    pooled = misses.sum(0) / np.maximum(1, views.sum(0))
    by_size = (misses + _PRIOR * pooled) / (views + _PRIOR)
    shares = (views + views.sum(0) / views.sum()) / (views.sum(1, keepdims=True) + 1)
    miss = np.zeros((NUM_CATEGORIES, NUM_SPOTS))
    for spot in range(NUM_SPOTS):
        here = (present[truth.spot == spot][..., None] & bins[truth.spot == spot]).sum(0)
        share = (here + _PRIOR * shares) / (here.sum(1, keepdims=True) + _PRIOR)
        miss[:, spot] = (share * by_size).sum(1)
    anywhere, beside_seen, beside_missed = _false_rates(seen, missed, found.at_stance & ~present)
    return {
        "num_pictures": len(present),
        "miss": {
            name: np.round(row, 4).tolist() for name, row in zip(CATEGORIES, miss, strict=True)
        },
        "by_size": {
            "from_pixels": [0, *SIZE_EDGES],
            "views": views.sum(0).astype(int).tolist(),
            "missed": np.round(pooled, 4).tolist(),
        },
        "false": {
            "anywhere": _sparse(anywhere[None], CATEGORIES, ("",))[""],
            "beside_seen": _sparse(beside_seen, CATEGORIES),
            "beside_missed": _sparse(beside_missed, CATEGORIES),
        },
        **{
            name: _confused(getattr(truth, name), getattr(found, name), PARTS[name])
            for name in ("held", "spot", "opened")
        },
    }


def _false_rates(
    seen: NDArray[np.bool_], missed: NDArray[np.bool_], false: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return rates of false reports: (33,) anywhere, (33, 33) twice: beside what -> of what."""
    absent = (~(seen | missed)).astype(float)
    causes = np.concatenate([np.ones((len(seen), 1)), seen, missed], 1)
    chances = causes.T @ absent  # views in which a cause could have made a false report
    rates = causes.T @ false / np.maximum(1, chances)
    rows, reported = np.nonzero(false)
    active = causes[rows]  # (reports, causes)
    for _ in range(_EM_ROUNDS):
        weight = active * rates[:, reported].T
        weight /= np.maximum(1e-12, 1 - np.prod(1 - weight, 1, keepdims=True))
        total = np.zeros_like(rates)
        np.add.at(total.T, reported, weight)
        rates = np.minimum(0.99, total / np.maximum(1, chances))
    return rates[0], rates[1 : 1 + NUM_CATEGORIES], rates[1 + NUM_CATEGORIES :]


def _confused(truth: NDArray[np.int64], found: NDArray[np.int64], size: int) -> dict[str, Any]:
    counts = np.zeros((size, size))
    np.add.at(counts, (truth, found), 1)
    rates = counts / np.maximum(1, counts.sum(1, keepdims=True))
    np.fill_diagonal(rates, 0)
    return _sparse(rates, tuple(map(str, range(size))))


def _sparse(
    rates: NDArray[np.float64], keys: tuple[str, ...], rows: tuple[str, ...] = ()
) -> dict[str, dict[str, float]]:
    """Return the rates of 0.0001 or more by name."""
    named = {
        row: {key: round(float(v), 4) for key, v in zip(keys, values, strict=True) if v >= 1e-4}
        for row, values in zip(rows or keys, rates, strict=True)
    }
    return {row: values for row, values in named.items() if values or rows}


def compare(
    detector: SegCnnEncoder, state: StatePercepts, num_views: int, split: str, seed: int
) -> dict[str, Any]:
    """Return how state and picture percepts agree over views of played episodes.

    Random skills, half of them navigation, are played. Returns for each part the share of views in
    which the pictures' percepts are the true ones (`agreement`; of `at_stance` over categories and
    views), and the same of the state's with errors (`injected`); for `at_stance` also recall and
    precision of both.
    """
    num_envs = 32
    envs: Any = gym.make_vec(
        "LangRearrange-v0", num_envs=num_envs, split=split, observation="rgb",
        autoreset_mode="SameStep",
    ).unwrapped  # fmt: skip
    observer, pictures = StateObserver(envs.config), PicturePercepts(detector)
    rng = np.random.default_rng(seed)
    observations, _ = envs.reset(seed=seed)
    parts: list[tuple[Facts, Facts, Facts]] = []
    while len(parts) * num_envs < num_views:
        symbols = observer.observe_batch(envs.tasks) | {"instruction": observations["instruction"]}
        read = facts_of_percepts(pictures.encode_observation(observations))
        drawn = facts_of_percepts(state.encode_observation(symbols))
        parts.append((facts_of_state(symbols), read, drawn))
        nav = rng.random(num_envs) < 0.5
        skills = np.where(nav, rng.integers(0, 16, num_envs), rng.integers(0, 70, num_envs))
        observations = envs.step(skills)[0]
    envs.close()
    truth, read, drawn = (
        Facts(*(np.concatenate(column) for column in zip(*side, strict=True)))
        for side in zip(*parts, strict=True)
    )
    table: dict[str, Any] = {"num_views": len(truth.held)}
    for name in PARTS:
        true = getattr(truth, name)
        rates = [float((getattr(side, name) == true).mean()) for side in (read, drawn)]
        table[name] = {"agreement": round(rates[0], 4), "injected": round(rates[1], 4)}
    for key, side in (("pictures", read), ("state", drawn)):
        both = int((truth.at_stance & side.at_stance).sum())
        table[key] = {
            "recall": round(both / max(1, int(truth.at_stance.sum())), 4),
            "precision": round(both / max(1, int(side.at_stance.sum())), 4),
        }
    return table


if __name__ == "__main__":
    sys.exit(run_module("vision.confusions", ConfusionArgs, main))
