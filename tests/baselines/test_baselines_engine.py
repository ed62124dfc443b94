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
from langrearrange_baselines.engine import checkpoint
from langrearrange_baselines.engine.config import PRESETS, RunConfig, TrainConfig, preset
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
from langrearrange_baselines.engine.packing import Carried, Rows, Segment, Segments, spread
from langrearrange_baselines.engine.rollout import Finished
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.run import phases_of
from langrearrange_baselines.llarp.layout import lay_out
from langrearrange_baselines.tensors import read_json_lines, read_tensors, write_tensors
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


# -- rows --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Row:
    """A row in words: lengths of its segments, of their instructions, and steps carried."""

    segments: tuple[tuple[int, int], ...]
    carried: int


def rows_strategy(num_steps: int = 6) -> st.SearchStrategy[list[Row]]:
    cuts = st.sets(st.integers(1, num_steps - 1), max_size=3).map(sorted)
    lengths = cuts.map(lambda c: np.diff([0, *c, num_steps]).tolist())
    segments = lengths.flatmap(
        lambda steps: st.tuples(*(st.tuples(st.just(n), st.integers(1, 4)) for n in steps))
    )
    return st.lists(st.builds(Row, segments, st.integers(0, 3)), min_size=1, max_size=4)


def rows_of(described: list[Row], num_steps: int = 6) -> Rows:
    segments = []
    for number, row in enumerate(described):
        ends = np.cumsum([steps for steps, _ in row.segments]).tolist()
        for end, (steps, words) in zip(ends, row.segments, strict=True):
            said = Instruction(tuple(range(100 * number, 100 * number + words)))
            segments.append(Segment(number, end - steps, end, said))
    count = len(described)
    most = max(row.carried for row in described)
    features = torch.arange(count * num_steps).reshape(count, num_steps, 1).half()
    memory = (torch.arange(2 * count).reshape(2, count, 1),)
    counts = torch.tensor([row.carried for row in described])
    carried = Carried(torch.zeros(count, most, 1), torch.zeros(count, most, 0), counts, memory)
    collected = Segments.collect(reversed(segments))
    assert list(collected) == segments
    return Rows(features, torch.zeros(count, num_steps, 0), collected, carried)


@given(counts=st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_parts_are_spread_one_thing_after_the_other(counts: list[int]) -> None:
    owner, place = spread(torch.tensor(counts))
    pairs = [(thing, part) for thing, count in enumerate(counts) for part in range(count)]
    assert list(zip(owner.tolist(), place.tolist(), strict=True)) == pairs


@given(described=rows_strategy())
def test_segments_say_whose_each_step_and_token_is(described: list[Row]) -> None:
    segments = rows_of(described).segments
    steps, tokens = [], []
    columns: list[int] = []
    numbers = [number for row in described for number in range(len(row.segments))]
    whose = iter(range(len(numbers)))
    for row in described:
        own = [(next(whose), *lengths) for lengths in row.segments]
        steps.append([i for i, count, _ in own for _ in range(count)])
        steps[-1] += steps[-1][-1:]  # beyond the last step
        tokens += [(i, place) for i, _, words in own for place in range(words)]
        columns += range(sum(words for _, _, words in own))
    assert segments.of_steps(7).tolist() == steps
    assert segments.numbers.tolist() == numbers
    segment, place, column = segments.tokens()
    assert list(zip(segment.tolist(), place.tolist(), strict=True)) == tokens
    assert column.tolist() == columns


@given(described=rows_strategy(), tokens_per_step=st.integers(1, 3))
def test_a_layout_can_be_read_back(described: list[Row], tokens_per_step: int) -> None:
    layout = lay_out(rows_of(described), tokens_per_step)
    for number, row in enumerate(described):
        for episode, (steps, words) in enumerate(row.segments):
            own = layout.episode[number] == episode
            before = row.carried if episode == 0 else 0
            length = words + (before + steps) * tokens_per_step
            # Every place of the episode once, instruction first, in order.
            assert layout.position[number, own].tolist() == list(range(length))
            ids = layout.prefix_ids[number][own[: layout.num_prefix]]
            assert ids.tolist() == list(range(100 * number, 100 * number + words))
            assert int(own[layout.num_context :].sum()) == steps * tokens_per_step
        last = len(row.segments) - 1
        assert set(layout.episode[number].tolist()) <= set(range(-1, last + 1))


@given(described=rows_strategy())
def test_a_mask_lets_a_token_see_its_own_episode_so_far(described: list[Row]) -> None:
    layout = lay_out(rows_of(described), 1)
    causal = layout.mask(bidirectional_prefix=False)
    both_ways = layout.mask(bidirectional_prefix=True)
    size = layout.episode.shape[1]
    for number in range(len(described)):
        episode, position = layout.episode[number].tolist(), layout.position[number].tolist()
        for i in range(size):
            for j in range(size):
                same = episode[i] == episode[j] >= 0
                sees = (same and position[j] <= position[i]) or i == j
                assert bool(causal[number, i, j]) == sees
                prefix = same and i < layout.num_prefix and j < layout.num_prefix
                assert bool(both_ways[number, i, j]) == (sees or prefix)


@given(described=rows_strategy(), data=st.data())
def test_some_rows_are_those_of_all(described: list[Row], data: st.DataObject) -> None:
    rows = rows_of(described)
    chosen = data.draw(st.lists(st.integers(0, len(described) - 1), min_size=1, max_size=5))
    some = rows.of(torch.tensor(chosen))
    assert some.features[:, 0, 0].tolist() == [6.0 * row for row in chosen]
    expected = [
        segment._replace(row=new)
        for new, old in enumerate(chosen)
        for segment in rows.segments
        if segment.row == old
    ]
    assert list(some.segments) == expected
    assert some.carried.counts.tolist() == [described[row].carried for row in chosen]
    assert some.carried.memory[0][0, :, 0].tolist() == chosen


# -- files -------------------------------------------------------------------------------------

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.bool)


@settings(max_examples=30)
@given(
    shapes=st.dictionaries(
        st.text("abc.", min_size=1, max_size=5),
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=3)),
        max_size=4,
    ),
    form=st.text("xyz", max_size=3),
)
def test_tensors_survive_a_file(
    shapes: dict[str, tuple[torch.dtype, list[int]]], form: str, tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("tensors") / "t.safetensors"
    rng = torch.Generator().manual_seed(0)
    tensors = {
        name: (torch.randn(shape, generator=rng) * 9).to(dtype).transpose(0, -1)
        if shape
        else torch.tensor(3).to(dtype)
        for name, (dtype, shape) in shapes.items()
    }
    write_tensors(path, tensors, {"format": form})
    read, metadata = read_tensors(path, CheckpointError, "give another", form)
    assert metadata == {"format": form}
    assert read.keys() == tensors.keys()
    for name, value in read.items():
        assert value.dtype == tensors[name].dtype
        assert torch.equal(value, tensors[name])
    assert [file.name for file in path.parent.iterdir()] == ["t.safetensors"]
    with pytest.raises(CheckpointError, match=r"has format .*; give another"):
        read_tensors(path, CheckpointError, "give another", form + "!")


def test_tensors_that_were_read_do_not_depend_on_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    write_tensors(path, {"a": torch.ones(5000)})
    read, _ = read_tensors(path, CheckpointError, "")
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff" * 8000)
    assert torch.equal(read["a"], torch.ones(5000))


def test_a_missing_file_of_json_lines_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert read_json_lines(path) == []
    path.write_text('{"update": 1}\n[2]\n')
    assert read_json_lines(path) == [{"update": 1}, [2]]


# -- checkpoints -------------------------------------------------------------------------------


def stepped(parameters: list[torch.nn.Parameter], optimizer: Any, steps: int) -> None:
    for step in range(steps):
        for number, parameter in enumerate(parameters):
            parameter.grad = torch.full_like(parameter, 0.1 * (number + step + 1))
        optimizer.step()


@given(before=st.integers(0, 3), after=st.integers(1, 3))
@settings(max_examples=12, deadline=None)
def test_an_optimizer_continues_from_its_tensors(before: int, after: int) -> None:
    def fresh() -> list[torch.nn.Parameter]:
        return [torch.nn.Parameter(torch.ones(shape)) for shape in ((2, 3), (4,))]

    ours, theirs = fresh(), fresh()
    whole, parts = (torch.optim.AdamW(p, lr=0.1, weight_decay=0.1) for p in (ours, theirs))
    stepped(ours, whole, before)
    with torch.no_grad():
        for own, other in zip(theirs, ours, strict=True):
            own.copy_(other)
    tensors = checkpoint.optimizer_tensors(whole)
    assert all(isinstance(value, torch.Tensor) for value in tensors.values())
    checkpoint.load_optimizer(parts, {name: value.clone() for name, value in tensors.items()})
    stepped(ours, whole, after)
    stepped(theirs, parts, after)
    assert all(map(torch.equal, ours, theirs))


def test_the_last_checkpoints_are_kept_in_order_of_their_number(tmp_path: Path) -> None:
    for update in (2, 10, 100, 9_999_999):
        checkpoint.partial_folder(tmp_path, update).mkdir(parents=True)
        checkpoint.complete(tmp_path, update, keep=3)
    (tmp_path / "checkpoints" / "notes").mkdir()
    checkpoint.partial_folder(tmp_path, 11).mkdir()  # a run that was killed while it saved
    found = checkpoint.checkpoints(tmp_path)
    assert [path.name for path in found] == ["000010", "000100", "9999999"]
    assert checkpoint.find_checkpoint(tmp_path) == found[-1]
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        checkpoint.find_checkpoint(tmp_path / "checkpoints" / "notes")


def state_of(config: RunConfig) -> dict[str, Any]:
    facts = encoder_facts(config.encoder, ToyEncoder())
    state = {"config": config.record(), "encoder": facts, "num_actions": 6}
    return state | {"schema_version": 2, "method": "ppo", "policy_fingerprint": "x"}


def test_settings_survive_a_checkpoint_whatever_trained_it() -> None:
    for config in (preset("stable", seed=3), ImitationConfig(learner="lstm", summary="mean")):
        state = json.loads(json.dumps(state_of(config)))
        read = checkpoint.run_config(state)
        assert type(read) is RunConfig
        names = [field.name for field in dataclasses.fields(RunConfig)]
        assert all(getattr(read, name) == getattr(config, name) for name in names)
        assert checkpoint.run_config(state, horizon=7).horizon == 7
        with pytest.raises(UsageError, match="'gamma' is of training only"):
            checkpoint.run_config(state, gamma=0.5)
        del state["config"]["encoder"]
        with pytest.raises(CheckpointError, match="settings cannot be read"):
            checkpoint.run_config(state)


def test_a_policy_of_another_kind_is_refused_by_what_its_learner_says(tmp_path: Path) -> None:
    state = state_of(preset("tiny", learner="lstm", summary="last", observation_module="linear"))
    checkpoint.check_kind(state, preset("tiny", learner="lstm"), tmp_path)
    for changes in ({"summary": "mean"}, {"hard": True}, {"train_backbone": "all"}):
        config = preset("tiny", learner="lstm", **changes)
        with pytest.raises(CheckpointError, match=f"trained with {next(iter(changes))}="):
            checkpoint.check_kind(state, config, tmp_path)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    state = state_of(preset("tiny"))
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert checkpoint.read_state(tmp_path) == state
    (tmp_path / "state.json").write_text(json.dumps(state | {"schema_version": 1}))
    with pytest.raises(CheckpointError, match="schema version 1; this release reads 2"):
        checkpoint.read_state(tmp_path)


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
