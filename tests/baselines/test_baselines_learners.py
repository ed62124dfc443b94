"""What every learner must do to be trained by the engine, one from outside the package included."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from langrearrange_baselines.engine.checkpoint import find_checkpoint
from langrearrange_baselines.engine.config import TrainConfig, preset
from langrearrange_baselines.engine.episodes import RunningEpisodes
from langrearrange_baselines.engine.factory import load_trained, make_episodes, make_policy
from langrearrange_baselines.engine.learner import LEARNERS, find_learner
from langrearrange_baselines.engine.policy import Policy
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.evaluate import EvaluateArgs
from langrearrange_baselines.evaluate import run as evaluate
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.train import imitate
from langrearrange_baselines.train import parse, train
from toy_world import FEATURES, HORIZON, NUM_ACTIONS, PHRASINGS, ToyEncoder, ToyEnvs

from langrearrange.errors import UsageError
from langrearrange.leaderboard import read_trace

BAG = "bag_learner:Bag"
KINDS: dict[str, dict[str, Any]] = {
    "llarp": {"learner": "llarp"},
    "llarp with LoRA": {"learner": "llarp", "train_backbone": "lora"},
    "lstm": {"learner": "lstm"},
    "lstm, all trained": {"learner": "lstm", "train_backbone": "all", "summary": "perceiver"},
    "gru": {"learner": "gru"},
    "from outside": {"learner": BAG},
}
SHAPE: dict[str, Any] = {
    "horizon": HORIZON,
    "num_envs": 4,
    "num_steps": 6,
    "minibatches": 2,
    "num_updates": 4,
    "checkpoint_every": 100,
}
SENTENCES = [phrasing.format(thing, "sofa") for phrasing in PHRASINGS for thing in ("ball", "cup")]


def config_of(kind: str, out: Path = Path("unused"), **changes: Any) -> TrainConfig:
    return preset("tiny", out=out, **(SHAPE | KINDS[kind] | changes))


def policy_of(config: TrainConfig) -> Policy:
    policy = make_policy(config, ToyEncoder(), NUM_ACTIONS)
    torch.manual_seed(0)
    torch.nn.init.normal_(policy.action.policy.weight, std=0.05)  # so that logits differ visibly
    return policy


def episodes_of(config: TrainConfig, policy: Policy, num_rows: int) -> RunningEpisodes:
    return make_episodes(config, policy, ToyEncoder(), num_rows)


def trainer_of(config: TrainConfig) -> Trainer:
    encoder = ToyEncoder()
    policy = make_policy(config, encoder, NUM_ACTIONS)
    return Trainer(config, ToyEnvs(config.num_envs), encoder, policy)


def observe(rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, FEATURES, generator=rng).half(), torch.zeros(rows, 0)


def weights(policy: Policy) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in policy.trained()}


# -- the contract ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_learning_evaluates_what_acting_returned(kind: str, tmp_path: Path) -> None:
    trainer = trainer_of(config_of(kind, tmp_path, num_steps=5))
    trainer.begin()
    before = weights(trainer.policy)
    records: list[dict[str, Any]] = []
    trainer.run(on_update=records.append)
    assert max(record["first_ratio_deviation"] for record in records) <= 1e-5
    after = weights(trainer.policy)
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rollout_evaluates_to_its_own_values_after_an_update(kind: str, tmp_path: Path) -> None:
    trainer = trainer_of(config_of(kind, tmp_path))
    trainer.begin()
    trainer.run(until=2)
    rollout = trainer.player.play(5)
    heads = trainer.policy.evaluate(rollout.rows)
    assert int(rollout.rows.carried.counts.max()) > 0  # episodes of the rollout before
    assert (heads.value - rollout.values).abs().max() <= 1e-5
    taken = heads.logits.log_softmax(-1).gather(-1, rollout.actions[..., None])[..., 0]
    assert (taken - rollout.log_probs).abs().max() <= 1e-5
    some = torch.tensor([2, 0])
    part = trainer.policy.evaluate(rollout.rows.of(some))
    assert (part.logits - heads.logits[some]).abs().max() <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_round_trip_keeps_every_weight(kind: str, tmp_path: Path) -> None:
    trainer = trainer_of(config_of(kind, tmp_path))
    trainer.begin()
    trainer.run(until=1)
    again = trainer_of(trainer.config)
    again.resume(find_checkpoint(tmp_path))
    ours, theirs = weights(trainer.policy), weights(again.policy)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    trainer.run(until=3)
    again.run(until=3)
    ours, theirs = weights(trainer.policy), weights(again.policy)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)  # bit for bit


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_rows_do_not_depend_on_one_another(kind: str, data: st.DataObject) -> None:
    """Any order of steps of rows, new episodes among them, acts as each row alone would."""
    config = config_of(kind)
    policy = policy_of(config)
    together, alone = episodes_of(config, policy, 1), episodes_of(config, policy, 3)
    together.grow(3)
    together.begin([0, 1, 2], SENTENCES[:3])
    for row in range(3):
        alone.begin([row], [SENTENCES[row]])
    for step in range(8):
        rows = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
        over = [row for row in rows if int(together.counts[row]) == HORIZON]
        over += data.draw(st.lists(st.sampled_from(rows), max_size=1))
        for row in dict.fromkeys(over):
            sentence = data.draw(st.sampled_from(SENTENCES))
            together.begin([row], [sentence])
            alone.begin([row], [sentence])
        features, proprio = observe(len(rows), step)
        value = together.value_of(features, proprio, rows)
        heads = together.step(features, proprio, rows)
        assert torch.equal(value, heads.value)  # asking for a value takes nothing in
        for i, row in enumerate(rows):
            one = alone.step(features[i : i + 1], proprio[i : i + 1], [row])
            torch.testing.assert_close(one.logits[0], heads.logits[i], atol=1e-5, rtol=1e-5)
    assert torch.equal(together.counts, alone.counts)
    assert torch.equal(together.features, alone.features)


@pytest.mark.parametrize("kind", KINDS)
def test_the_instruction_matters_and_the_last_episode_does_not(kind: str) -> None:
    config = config_of(kind)
    policy = policy_of(config)
    used, fresh = episodes_of(config, policy, 2), episodes_of(config, policy, 2)
    used.begin([0, 1], SENTENCES[:2])
    for step in range(3):
        used.step(*observe(2, step))
    for episodes in (used, fresh):
        episodes.begin([0, 1], [SENTENCES[4], SENTENCES[5]])
    features, proprio = observe(1, 9)
    seen = features.repeat(2, 1), proprio.repeat(2, 1)
    logits = used.step(*seen).logits
    assert torch.equal(logits, fresh.step(*seen).logits)
    assert (logits[0] - logits[1]).abs().max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_beyond_the_horizon_is_refused(kind: str) -> None:
    config = config_of(kind)
    episodes = episodes_of(config, policy_of(config), 1)
    episodes.begin([0], SENTENCES[:1])
    for step in range(HORIZON):
        episodes.step(*observe(1, step))
    with pytest.raises(UsageError, match=f"more than {HORIZON} steps"):
        episodes.step(*observe(1, 0))


# -- the table ---------------------------------------------------------------------------------


def test_a_learner_is_found_by_its_name_or_its_module() -> None:
    assert set(LEARNERS) == {"gru", "llarp", "lstm"}
    assert find_learner("lstm").settings == ("layers", "summary")
    assert find_learner(BAG).settings == ()
    LEARNERS["bag"] = find_learner(BAG)
    try:
        assert find_learner("bag") is LEARNERS["bag"]
    finally:
        del LEARNERS["bag"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("larp", "did you mean 'llarp'"),
        ("nowhere:Bag", "importing 'nowhere' failed"),
        ("bag_learner:Sack", "has no class 'Sack'"),
        ("bag_learner:BagStore", "cannot be made without arguments"),
        ("collections:Counter", "has no 'settings'"),
    ],
)
def test_an_unknown_learner_is_named_with_a_remedy(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make_policy(preset("tiny", learner=name), ToyEncoder(), NUM_ACTIONS)


def test_importing_the_table_loads_neither_learners_nor_torch() -> None:
    code = "import sys, langrearrange_baselines as b; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- one from outside, by the commands ----------------------------------------------------------


REAL = ["--encoder", "symbolic", "--split", "train_mini", "--num-envs", "4", "--learner", BAG]


def test_a_learner_from_outside_is_trained_resumed_and_played_by_the_commands(
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    command = [*REAL, "--num-steps", "6", "--minibatches", "2", "--num-updates", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "langrearrange_baselines.train", *command, "--out", str(out)],
        cwd=Path(__file__).parent,  # where its module is
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out)
    assert train(parse([*command, "--out", str(out), "--resume", "--num-updates", "3"])).update == 3
    policy, _, config, state = load_trained(out)
    assert (config.learner, state["method"], state["update"]) == (BAG, "ppo", 3)
    assert policy.num_actions == 70
    args = EvaluateArgs(
        checkpoint=out, out=tmp_path / "t.jsonl.gz", episodes=("train_eval",), num_episodes=3
    )
    assert len(read_trace(evaluate(args)).episodes) == 3


def test_a_learner_from_outside_imitates_and_continues_by_ppo(tmp_path: Path) -> None:
    config = ImitationConfig(
        out=tmp_path / "clone",
        learner=BAG,
        encoder="symbolic",
        split="train_mini",
        num_envs=4,
        num_steps=200,
        epochs=20,
        rounds=1,
        round_steps=140,
        round_epochs=1,
        lr=1e-2,
    )
    run = imitate(config)
    assert run.records[19]["loss"] < 0.8 * run.records[0]["loss"]
    after = parse([*REAL, "--num-steps", "6", "--minibatches", "2", "--num-updates", "1"])
    after = dataclasses.replace(after, out=tmp_path / "ppo", init_from=str(config.out))
    assert train(after).update == 1
