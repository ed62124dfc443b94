"""The engine's small parts, each against a slow or obvious way to do the same."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from langrearrange_baselines.engine.config import PRESETS, TrainConfig, preset
from langrearrange_baselines.engine.encoder import (
    ObservationEncoder,
    check_encoder,
    encoder_facts,
    make_encoder,
    proprioception,
)
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.engine.instructions import Instruction, InstructionStore
from langrearrange_baselines.engine.learner import derived_seed, seeded
from langrearrange_baselines.engine.metrics import WINDOW, Metrics
from langrearrange_baselines.engine.rollout import Finished
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.run import phases_of
from langrearrange_baselines.vision import load_encoder
from toy_world import ToyEncoder

from langrearrange.errors import UsageError

# -- instructions ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Weighed(Instruction):
    number: int

    @property
    def num_bytes(self) -> int:
        return len(self.ids)


class LetterStore(InstructionStore[Weighed]):
    """Reads a text letter by letter and numbers what it reads."""

    reads = 0

    def read(self, missing: Sequence[tuple[int, ...]]) -> Iterable[Weighed]:
        for ids in missing:
            self.reads += 1
            yield Weighed(ids, self.reads)


class SlowStore:
    """The same with a list in order of use."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used: list[tuple[str, int]] = []
        self.reads = self.hits = self.misses = 0

    def get_all(self, texts: Sequence[str]) -> list[int]:
        known = dict(self.used)
        for text in dict.fromkeys(texts):
            if text not in known:
                self.reads += 1
                self.misses += 1
                known[text] = self.reads
        self.hits += len(texts) - sum(t not in dict(self.used) for t in dict.fromkeys(texts))
        for text in dict.fromkeys(texts):
            self.used = [pair for pair in self.used if pair[0] != text] + [(text, known[text])]
        while sum(len(text) for text, _ in self.used) > self.max_bytes and len(self.used) > 1:
            self.used.pop(0)
        return [known[text] for text in texts]


TEXTS = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd", "ab", "cb"]), max_size=4)


@given(calls=st.lists(TEXTS, max_size=12), max_bytes=st.integers(1, 12))
def test_a_store_drops_the_least_recently_used(calls: list[list[str]], max_bytes: int) -> None:
    store, slow = LetterStore(lambda text: tuple(map(ord, text)), max_bytes), SlowStore(max_bytes)
    for texts in calls:
        assert [read.number for read in store.get_all(texts)] == slow.get_all(texts)
        assert (store.hits, store.misses, len(store)) == (slow.hits, slow.misses, len(slow.used))
        assert store.num_bytes == sum(len(text) for text, _ in slow.used)
    asked = store.hits + store.misses
    assert store.hit_rate == (store.hits / asked if asked else 0.0)
    store.clear()
    assert (len(store), store.num_bytes) == (0, 0)


# -- settings and seeds ------------------------------------------------------------------------


@given(
    name=st.sampled_from(sorted(PRESETS)),
    lr=st.floats(0, 1),
    seed=st.integers(0, 2**31),
    hard=st.booleans(),
)
def test_a_record_is_the_config(name: str, lr: float, seed: int, hard: bool) -> None:
    config = preset(name, lr=lr, seed=seed, hard=hard)
    assert TrainConfig(**json.loads(json.dumps(config.record()))) == config


@pytest.mark.parametrize("kind", [TrainConfig, ImitationConfig])
@pytest.mark.parametrize(
    "changes",
    [{"num_envs": 0}, {"horizon": 0}, {"seed": -1}, {"threads": 0}, {"tokens_per_step": 0}],
)
def test_shared_settings_are_checked_for_every_command(kind: Any, changes: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"accepted: [01] or more"):
        kind(**changes)


def test_only_an_expert_that_stops_is_imitated_in_the_hard_variant() -> None:
    with pytest.raises(UsageError, match="no other expert stops"):
        ImitationConfig(hard=True)
    assert ImitationConfig(hard=True, expert="policy", expert_checkpoint="x").hard


@given(rounds=st.integers(0, 4), epochs=st.integers(1, 4), round_epochs=st.integers(1, 3))
def test_each_stage_records_first_and_then_learns(
    rounds: int, epochs: int, round_epochs: int
) -> None:
    config = ImitationConfig(rounds=rounds, epochs=epochs, round_epochs=round_epochs)
    phases = list(phases_of(config))
    assert phases == sorted(phases)
    assert len(phases) == 1 + epochs + rounds * (1 + round_epochs)
    assert [phase.stage for phase in phases if phase.epoch == 0] == list(range(rounds + 1))


def test_a_seed_belongs_to_its_parts_and_the_global_generator_is_left_alone() -> None:
    parts = [(), (0,), (1,), (0, "a"), ("0a",), (0, "b"), ("b", 0)]
    assert len({derived_seed(*part) for part in parts}) == len(parts)
    assert all(0 <= derived_seed(*part) < 2**63 for part in parts)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(7, "x"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(7, "x"):
        assert torch.equal(torch.rand(3), first)


# -- metrics -----------------------------------------------------------------------------------

EPISODE = st.builds(
    Finished,
    st.sampled_from(["find", "put"]),
    st.booleans(),
    st.integers(1, 32),
    st.floats(-4, 16),
)


@settings(max_examples=25)
@given(episodes=st.lists(EPISODE, max_size=30), repeat=st.integers(1, 12))
def test_metrics_are_means_over_the_latest_episodes(episodes: list[Finished], repeat: int) -> None:
    metrics, everything = Metrics(), episodes * repeat
    half = len(everything) // 2
    metrics.add(everything[:half])
    restored = Metrics()
    restored.restore(json.loads(json.dumps(metrics.saved())))
    restored.add(everything[half:])
    found = restored.summary()
    assert found["episodes"] == len(everything)
    latest = everything[-WINDOW:]
    for name, field in (("success", "success"), ("return", "total"), ("length", "steps")):
        values = [float(getattr(episode, field)) for episode in latest]
        expected = pytest.approx(sum(values) / len(values)) if values else None
        assert found[name] == expected
    for template in {episode.template for episode in everything}:
        own = [e.success for e in everything if e.template == template][-(WINDOW // 4) :]
        assert found["success_by_template"][template] == pytest.approx(sum(own) / len(own))


# -- encoders ----------------------------------------------------------------------------------


def test_an_encoder_is_known_by_its_weights_and_shapes_not_by_its_name(tmp_path: Path) -> None:
    encoder = ToyEncoder()
    facts = encoder_facts("toy", encoder)
    check_encoder(facts | {"name": "moved"}, encoder, tmp_path, CheckpointError)
    for name, other in {"fingerprint": "x", "feature_shape": [3], "proprio_dim": 1}.items():
        with pytest.raises(CheckpointError, match=f"encoder 'toy' with {name} .*; use the same"):
            check_encoder(facts | {name: other}, encoder, tmp_path, CheckpointError)


def rgb_observation(count: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "rgb": rng.integers(0, 256, (count, 32, 32, 3), np.uint8),
        "joints": rng.normal(size=(count, 7)).astype(np.float32),
        "holding": np.ones((count, 1), np.int8),
        "pose": np.array([[1, 2, np.pi / 2]] * count, np.float32),
        "instruction": ["Find a mug."] * count,
    }


def test_proprioception_is_joints_hand_and_pose() -> None:
    observation = rgb_observation(2)
    numbers = proprioception(observation)
    assert numbers.shape == (2, 12)
    assert np.array_equal(numbers[:, :7], observation["joints"])
    np.testing.assert_allclose(numbers[0, 7:], [1, 1, 2, 1, 0], atol=1e-6)


def test_controls_and_patches_change_what_is_encoded() -> None:
    vision = load_encoder("random")
    observation = rgb_observation(2)
    plain = ObservationEncoder(vision, proprioception=False)(observation)
    assert plain.proprio.shape == (2, 0)
    assert plain.features.any()
    blank = ObservationEncoder(vision, proprioception=True, blank=True)(observation)
    assert blank.features.shape == plain.features.shape
    assert not blank.features.any()
    assert torch.equal(blank.proprio, proprioception(observation))
    patches = ObservationEncoder(vision, proprioception=True, patches=True)
    assert patches.feature_shape == vision.patch_shape
    assert patches(observation).features.shape == (2, *patches.feature_shape)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"encoder": "symbolic", "tokens_per_step": 2}, "has no patches"),
        ({"encoder": "random", "tokens_per_step": 2, "control": "blank"}, "goes with tokens_per"),
        ({"device": "cuda:99"}, "cannot be used"),
    ],
)
def test_an_encoder_that_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make_encoder(preset("tiny", **changes))
