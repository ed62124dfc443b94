"""A critic of its own: no gradient into the policy, a warm-up, and what a run begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines.engine.checkpoint import find_checkpoint, read_tensors
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.tensors import write_tensors
from test_baselines_ppo import toy_trainer

OWN: dict[str, Any] = {"critic": "own", "critic_warmup": 1}


def moved(trainer: Trainer, until: int) -> set[str]:
    before = {name: value.clone() for name, value in trainer.policy.trained()}
    trainer.run(until=until)
    return {n for n, value in trainer.policy.trained() if not torch.equal(before[n], value)}


def test_no_gradient_of_an_own_critic_reaches_the_policy(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, critic="own", critic_warmup=3)
    assert trainer.critic is not None
    trainer.critic.warming_up = lambda explained, update: update < 2  # type: ignore[method-assign]
    before = [p.clone() for p in trainer.critic.parameters]
    assert moved(trainer, until=2) == set()
    assert not any(map(torch.equal, before, trainer.critic.parameters))
    names = moved(trainer, until=3)
    assert "action.policy.weight" in names
    assert not {"action.value.weight", "action.value.bias"} & names


def test_values_of_an_own_critic_leave_gradients_of_the_policy_exactly_zero(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, critic="own")
    assert trainer.critic is not None
    rollout = trainer.player.play(6)
    values, last = trainer.critic.values(rollout)
    assert (values.shape, last.shape) == (rollout.values.shape, rollout.last_value.shape)
    trainer.ppo.optimizer.zero_grad(set_to_none=True)
    trainer.critic.learn(rollout, torch.randn(values.shape), torch.arange(3), 0)
    assert all(p.grad is None for p in trainer.policy.parameters())


def test_an_own_critic_remembers_steps_before_the_rollout(tmp_path: Path) -> None:
    """The value of a step is the same wherever a rollout was cut."""
    trainer = toy_trainer(tmp_path, critic="own")
    assert trainer.critic is not None
    rollouts = [trainer.player.play(3), trainer.player.play(3)]
    again = toy_trainer(tmp_path / "again", critic="own")
    whole = again.player.play(6)
    assert torch.equal(whole.actions[:, 3:], rollouts[1].actions)
    parts = torch.cat([trainer.critic.values(rollout)[0] for rollout in rollouts], 1)
    torch.testing.assert_close(trainer.critic.values(whole)[0], parts, atol=1e-5, rtol=1e-5)


def test_a_critic_that_never_warms_up_is_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = toy_trainer(tmp_path, critic="own", critic_warmup=2)
    assert trainer.critic is not None
    assert [trainer.critic.warming_up(0.1, update) for update in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert [record.message for record in caplog.records] == [
        "the critic explains 0.10 of the variance after 2 updates alone, wanted: 0.50; the policy "
        "is trained from here on all the same"
    ]
    good = toy_trainer(tmp_path / "good", critic="own", critic_warmup=9).critic
    assert good is not None
    assert [good.warming_up(e, u) for u, e in enumerate([0.2, 0.6, 0.1])] == [True, False, False]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    toy_trainer(out, **OWN).run(until=1)
    return out


def test_a_run_begins_with_the_critic_of_its_checkpoint(trained: Path, tmp_path: Path) -> None:
    begun = toy_trainer(tmp_path, init_from=str(trained), **OWN)
    assert begun.critic is not None
    stored = read_tensors(find_checkpoint(trained) / "critic.safetensors")
    for name, weight in begun.critic.critic.named_parameters():
        assert torch.equal(weight, stored[name])
    assert not begun.critic.ready  # it warms up all the same: these may be other returns
    assert toy_trainer(tmp_path / "shared", init_from=str(trained)).critic is None


def test_a_critic_of_its_own_may_begin_where_the_checkpoint_has_none(tmp_path: Path) -> None:
    toy_trainer(tmp_path / "shared").run(until=1)
    begun = toy_trainer(tmp_path / "own", init_from=str(tmp_path / "shared"), **OWN)
    fresh = toy_trainer(tmp_path / "fresh", **OWN)
    assert begun.critic is not None
    assert fresh.critic is not None
    pairs = zip(begun.critic.parameters, fresh.critic.parameters, strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_a_critic_with_other_inputs_is_one_sentence(trained: Path, tmp_path: Path) -> None:
    changes = OWN | {"critic_inputs": "privileged", "init_from": str(trained)}
    with pytest.raises(CheckpointError) as caught:
        toy_trainer(tmp_path, **changes)
    assert str(caught.value) == (
        f"{find_checkpoint(trained)} was trained with critic_inputs='observed', asked for is "
        "'privileged'; give the settings it was trained with, or begin a new run"
    )


def test_a_critic_of_another_shape_is_one_sentence(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "000001"
    folder.mkdir(parents=True)
    for file in find_checkpoint(trained).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    critic = read_tensors(folder / "critic.safetensors")
    write_tensors(folder / "critic.safetensors", critic | {"words.weight": torch.zeros(5, 256)})
    with pytest.raises(CheckpointError) as caught:
        toy_trainer(tmp_path / "run", init_from=str(tmp_path), **OWN)
    assert str(caught.value) == (
        f"{folder / 'critic.safetensors'} is of another shape: words.weight is 5x256, here "
        "8192x256 (1 such weights); build the policy with the settings in its state.json"
    )
