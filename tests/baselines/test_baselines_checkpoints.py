"""Files and checkpoints give back what was written, or say why they cannot be used."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from langrearrange_baselines.engine import checkpoint
from langrearrange_baselines.engine.config import RunConfig, preset
from langrearrange_baselines.engine.encoder import (
    encoder_facts,
)
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.tensors import read_json_lines, read_tensors, write_tensors
from toy_world import ToyEncoder

from langrearrange.errors import UsageError

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
