"""A view is encoded once; how it is computed is chosen once, recorded, and decides no action."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from langrearrange_baselines.engine import encoder as module
from langrearrange_baselines.engine import speed
from langrearrange_baselines.engine.checkpoint import find_checkpoint, read_state
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.engine.encoder import ObservationEncoder, SeenViews, make_encoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.train import train

from langrearrange.errors import UsageError


def counting() -> tuple[SeenViews, list[int]]:
    sizes: list[int] = []

    def encode(observations: Any) -> torch.Tensor:
        sizes.append(len(observations["rgb"]))
        return torch.from_numpy(observations["rgb"].reshape(len(observations["rgb"]), -1)[:, :2])

    return SeenViews(encode), sizes


def pictures(*values: int) -> dict[str, Any]:
    return {"rgb": np.stack([np.full((4, 4, 3), value, np.uint8) for value in values])}


def test_a_view_is_encoded_once_even_within_a_batch() -> None:
    views, sizes = counting()
    assert views(pictures(1, 2, 1))[:, 0].tolist() == [1, 2, 1]
    assert views(pictures(2, 3, 1, 3))[:, 0].tolist() == [2, 3, 1, 3]
    assert sizes == [2, 1]
    assert (views.hits, views.misses) == (4, 3)


def test_the_oldest_views_go_first_when_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    views, sizes = counting()
    monkeypatch.setattr(module, "MAX_KNOWN_BYTES", 4)  # two views of two bytes
    for values in ((1,), (2,), (1,), (3,), (1,), (2,)):
        views(pictures(*values))
    assert sizes == [1, 1, 1, 1]


def test_reuse_is_off_where_it_would_make_a_resumed_run_differ(tmp_path: Path) -> None:
    class Vit(torch.nn.Module):
        modality, feature_dim, layout, batch_invariant = "rgb", 8, "", False

        def encode_observation(self, observations: Any) -> torch.Tensor:
            return torch.zeros(len(observations["rgb"]), 8)

    config = preset("tiny", out=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_encoder", lambda *args, **options: Vit())
        exact: Any = make_encoder(config)
        fast: Any = make_encoder(preset("tiny", out=tmp_path, exact_resume=False))
    assert (exact.views, fast.views is None) == (None, False)
    off: Any = make_encoder(preset("tiny", out=tmp_path, reuse_views=False))
    assert off.views is None
    assert ObservationEncoder(Vit(), proprioception=False, reuse=True).views is not None


def test_reused_features_are_those_of_the_network(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    distinct = rng.integers(0, 256, (5, 256, 256, 3), np.uint8)
    with_reuse = make_encoder(preset("tiny", out=tmp_path, proprioception=False))
    without = make_encoder(preset("tiny", out=tmp_path, proprioception=False, reuse_views=False))
    for rows in ([0, 1, 2], [2, 3], [4], [0, 4, 3, 1]):
        batch = {"rgb": distinct[rows]}
        assert torch.equal(with_reuse(batch).features, without(batch).features)


def test_the_fastest_is_measured_once_recorded_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {("float32", "contiguous"): 0.5}
    monkeypatch.setattr(speed, "_seconds", lambda config, *way: times.get(way, 1.0))
    settings: dict[str, Any] = {
        "encoder": "symbolic", "split": "train_mini", "num_envs": 4, "num_steps": 8,
        "minibatches": 2, "out": tmp_path, "encoder_precision": "auto",
    }  # fmt: skip
    train(preset("tiny", **settings, num_updates=1))
    times[("bfloat16", "channels_last")] = 0.1  # another machine
    resumed = train(preset("tiny", **settings, num_updates=2, resume=True))
    stored = read_state(find_checkpoint(tmp_path))["config"]
    for config in (stored, resumed.config.record()):
        assert (config["encoder_precision"], config["encoder_layout"]) == ("float32", "contiguous")


def test_measuring_takes_every_way_and_an_unsettled_one_is_refused(tmp_path: Path) -> None:
    config = ImitationConfig(out=tmp_path, encoder="random", encoder_precision="auto")
    with pytest.raises(UsageError, match="settled when a run begins"):
        make_encoder(config)
    chosen = speed.settled(config)
    assert chosen.encoder_precision in speed.PRECISIONS
    assert chosen.encoder_layout in speed.LAYOUTS
    assert speed.settled(chosen) is chosen


def test_pictures_may_be_drawn_by_several_threads(tmp_path: Path) -> None:
    pictures = []
    for threads in (1, 3):
        envs = make_envs(preset("tiny", out=tmp_path, render_threads=threads), "rgb")
        pictures.append(envs.reset(seed=3)[0]["rgb"])
        assert envs.config.threads == threads
        envs.close()
    np.testing.assert_array_equal(*pictures)


def test_nccl_without_a_gpu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nccl needs cuda"):
        preset("tiny", out=tmp_path, backend="nccl")
