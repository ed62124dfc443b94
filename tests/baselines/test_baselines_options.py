"""Options beyond the paper: they do what they say, leave scoring alone, refuse what cannot be."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from langrearrange_baselines.engine.agent import PolicyAgent
from langrearrange_baselines.engine.checkpoint import find_checkpoint
from langrearrange_baselines.engine.config import PAPER_PRESETS, preset
from langrearrange_baselines.engine.encoder import make_encoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.engine.factory import load_trained, make_policy
from langrearrange_baselines.engine.inputs import NO_ACTION, input_columns, modality_with
from langrearrange_baselines.engine.metrics import LEAST_WEIGHT, Metrics
from langrearrange_baselines.engine.noise import gradient_noise
from langrearrange_baselines.engine.privileged import (
    PRIVILEGED_DIM,
    PlannerPotential,
    privileged_facts,
)
from langrearrange_baselines.engine.rollout import Finished, Rollout
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.evaluate import EvaluateArgs
from langrearrange_baselines.evaluate import run as evaluate
from langrearrange_baselines.train import train
from test_baselines_ppo import toy_trainer

from langrearrange.errors import UsageError
from langrearrange.leaderboard import read_trace
from langrearrange.world import OUTCOMES, SKILL_INDEX, valid_mask
from langrearrange.world.wording import told as told_of

SMALL: dict[str, Any] = {
    "split": "train_mini",
    "num_envs": 6,
    "num_steps": 8,
    "minibatches": 2,
    "num_updates": 4,
    "checkpoint_every": 2,
    "keep_checkpoints": 9,
}
ALL: dict[str, Any] = {
    "critic": "own",
    "critic_inputs": "privileged",
    "critic_warmup": 1,
    "mask_invalid": True,
    "weight_templates": "failure",
    "shaping": "planner",
    "inputs": "last-action,outcome",
    "measure_noise": 1,
}


def small(out: Path, **changes: Any) -> Trainer:
    return train(preset("small", out=out, **(SMALL | changes)))


def played(out: Path, **changes: Any) -> Rollout:
    config = preset("small", out=out, **(SMALL | changes))
    encoder = make_encoder(config)
    envs = make_envs(config, encoder.modality)
    trainer = Trainer(config, envs, encoder, make_policy(config, encoder, 70))
    trainer.begin()
    rollout = trainer.player.play(8)
    envs.close()
    return rollout


def stored(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in find_checkpoint(folder).glob("*.safetensors")}


@pytest.mark.parametrize("changes", [ALL, ALL | {"critic_inputs": "observed"}, {}])
def test_two_updates_and_two_more_are_four_with_all_options(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    whole = small(tmp_path / "whole", **changes)
    small(tmp_path / "parts", **(changes | {"num_updates": 2}))
    parts = small(tmp_path / "parts", **(changes | {"resume": True}))
    assert stored(tmp_path / "whole") == stored(tmp_path / "parts")
    assert whole.metrics.saved() == parts.metrics.saved()
    assert ("critic.safetensors" in stored(tmp_path / "whole")) == bool(changes)


def test_noise_of_a_synthetic_gradient_is_found() -> None:
    rng = torch.Generator().manual_seed(0)
    signal, sigma, steps = torch.full((4000,), 0.05), 2.0, 500
    noise = torch.randn(8, 4000, generator=rng) * sigma / steps**0.5
    figures = gradient_noise(signal + noise, steps)
    assert figures["noise_scale"] == pytest.approx(sigma**2 / 0.05**2, rel=0.1)
    half = sigma**2 / (4 * steps)
    assert figures["noise_cosine"] == pytest.approx(0.05**2 / (0.05**2 + half), rel=0.1)
    assert gradient_noise(signal.expand(4, -1), 7) == {
        "noise_scale": pytest.approx(0, abs=1e-6),
        "noise_cosine": pytest.approx(1),
    }
    opposite = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert gradient_noise(opposite, 1) == {"noise_scale": None, "noise_cosine": pytest.approx(-1)}


def test_measuring_noise_changes_nothing(tmp_path: Path) -> None:
    small(tmp_path / "plain", num_updates=2)
    small(tmp_path / "measured", num_updates=2, measure_noise=2)
    assert stored(tmp_path / "plain") == stored(tmp_path / "measured")
    lines = (tmp_path / "measured" / "metrics.jsonl").read_text().splitlines()
    assert ["noise_cosine" in json.loads(line) for line in lines] == [True, False]


def test_shaped_rewards_add_up_to_the_potential_of_the_start() -> None:
    envs: Any = gym.make_vec(
        "LangRearrange-v0", num_envs=6, observation="state", autoreset_mode="SameStep"
    ).unwrapped
    envs.reset(seed=3)
    gamma, rng = 0.9, np.random.default_rng(0)
    potential = PlannerPotential(0.5, gamma)
    potential.begin(envs.tasks)
    starts = potential.values.copy()
    assert starts.tolist() == [-0.5 * len(task.episode.plan) for task in envs.tasks]
    totals, ages, ended = np.zeros(6), np.zeros(6), 0
    for _ in range(45):
        masks = [valid_mask(task.layout, task.state) for task in envs.tasks]
        actions = [int(rng.choice([i for i in range(70) if m >> i & 1])) for m in masks]
        _, _, terminated, truncated, _ = envs.step(actions)
        ends = terminated | truncated
        totals += gamma**ages * potential.step(envs.tasks, actions, ends)
        ages += 1
        assert totals[ends] == pytest.approx(-starts[ends])
        going = ~ends
        left = gamma ** ages[going] * potential.values[going]
        assert totals[going] == pytest.approx(left - starts[going])
        totals[ends], ages[ends], starts[ends] = 0, 0, potential.values[ends]
        ended += int(ends.sum())
    assert ended >= 6
    envs.close()


def test_the_planner_counts_down_along_a_shortest_plan() -> None:
    envs: Any = gym.make_vec("LangRearrange-v0", num_envs=4, observation="state").unwrapped
    envs.reset(seed=1)
    potential = PlannerPotential(1.0, 1.0)
    potential.begin(envs.tasks)
    plans = [[SKILL_INDEX[name] for name in task.episode.plan] for task in envs.tasks]
    for step in range(min(map(len, plans)) - 1):
        actions = [plan[step] for plan in plans]
        envs.step(actions)
        assert potential.step(envs.tasks, actions, np.zeros(4, bool)) == pytest.approx(1.0)
    envs.close()


def test_masked_skills_are_never_drawn_in_training_and_masks_never_read_in_evaluation(
    tmp_path: Path,
) -> None:
    small(tmp_path, mask_invalid=True, num_updates=1)
    rollout = played(tmp_path / "masked", mask_invalid=True)
    assert rollout.invalid == 0.0
    assert rollout.valid is not None
    assert rollout.valid.gather(-1, rollout.actions[..., None]).all()
    plain = played(tmp_path / "plain")
    assert plain.valid is None
    assert plain.invalid > 0.5
    answers: list[list[list[int]]] = []
    for extras in ((), ("action_mask",)):
        agent = PolicyAgent.load(tmp_path)
        assert agent.modality == "state"
        envs: Any = gym.make_vec(
            "LangRearrange-v0", num_envs=4, observation="state", extras=extras
        ).unwrapped
        observations, _ = envs.reset(seed=5)
        agent.reset_rows(range(4), observations["instruction"])
        answers.append([])
        invalid = 0
        for _ in range(5):
            if extras:
                observations["action_mask"][:] = 0
            actions = agent.act_rows(range(4), observations)
            observations, *_, infos = envs.step(actions)
            invalid += sum(outcome != "ok" for outcome in infos["outcome"])
            answers[-1].append(actions.tolist())
        assert invalid > 5  # it draws from all skills
        envs.close()
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "name", ["mask_invalid", "critic_inputs", "shaping", "weight_templates", "critic"]
)
def test_what_only_training_knows_is_refused_at_evaluation(name: str, tmp_path: Path) -> None:
    small(tmp_path, num_updates=1)
    with pytest.raises(UsageError, match=f"'{name}' is of training only"):
        PolicyAgent.load(tmp_path, **{name: True})


def test_a_mask_at_scoring_needs_an_encoder_that_reads_out_what_is_seen(tmp_path: Path) -> None:
    trained = load_trained(small(tmp_path, num_updates=1).config.out)
    pixels = SimpleNamespace(modality="rgb", fingerprint="of weights")
    config = dataclasses.replace(trained.config, encoder="segcnn")
    with pytest.raises(UsageError, match=r"needs the state or percepts, 'segcnn' gives neither"):
        PolicyAgent(trained._replace(encoder=pixels, config=config), mask=True)


def test_a_trace_names_what_is_not_the_papers(tmp_path: Path) -> None:
    small(tmp_path / "run", num_updates=1, mask_invalid=True, critic="own")
    out = tmp_path / "t.jsonl.gz"
    args = EvaluateArgs(
        checkpoint=tmp_path / "run", out=out, episodes=("train_mini",), num_episodes=2
    )
    evaluate(args)
    told = read_trace(out).header.agent.train_data
    assert told == "train_mini, PPO preset small, critic=own, mask_invalid=True"


def test_the_loss_of_the_mask_moves_the_policy_towards_valid_skills(tmp_path: Path) -> None:
    """Measured without the mask, as in scoring; without the loss nothing teaches it."""
    invalid = []
    for weight in (0.0, 1.0):
        out = tmp_path / str(weight)
        small(out, mask_invalid=True, mask_loss=weight, num_updates=12, num_steps=16)
        rollout = played(tmp_path / "unmasked", init_from=str(out))
        invalid.append(rollout.invalid)
    assert invalid[1] < invalid[0] - 0.2


def test_inputs_are_what_was_done_and_what_came_of_it() -> None:
    outcome = np.zeros((2, len(OUTCOMES)), np.int8)
    outcome[[0, 1], [0, 3]] = 1
    seen = {"last_action": np.array([NO_ACTION, 17]), "outcome": outcome}
    action, came = input_columns(["last-action", "outcome"], seen)
    assert action[0].sum() == 0
    assert action[1].nonzero()[:, 0].tolist() == [17]
    told = {"feedback": (told_of(-1, OUTCOMES[0]), told_of(17, OUTCOMES[3]))}
    assert torch.equal(input_columns(["outcome"], told)[0], came)
    assert modality_with(["outcome"], "rgb") == "rgb+feedback"
    assert modality_with(["last-action"], "rgb") == "rgb"
    with pytest.raises(UsageError, match="the outcome is in no 'text' observation"):
        modality_with(["outcome"], "text")


def test_a_policy_with_inputs_plays_as_it_was_trained(tmp_path: Path) -> None:
    """The agent's logits are those of training on the same episode, whoever keeps the action."""
    trainer = small(tmp_path, inputs="last-action,outcome", num_updates=1)
    assert trainer.episodes.proprio.shape[-1] == 70 + len(OUTCOMES)
    agent = PolicyAgent.load(tmp_path, seed=1)
    envs: Any = gym.make_vec("LangRearrange-v0", num_envs=3, observation="state").unwrapped
    observations, _ = envs.reset(seed=5)
    agent.reset_rows(range(3), observations["instruction"])
    taken = []
    for _ in range(4):
        taken.append(agent.act_rows(range(3), observations))
        observations = envs.step(taken[-1])[0]
    proprio = agent._episodes.proprio[:, :4, :70]
    assert not proprio[:, 0].any()
    assert proprio[:, 1:].argmax(-1).T.tolist() == [actions.tolist() for actions in taken[:3]]
    envs.close()


def test_failed_templates_are_weighted_up() -> None:
    metrics = Metrics()
    metrics.add([Finished("find", True, 3, 1.0)] * 4 + [Finished("swap", False, 32, 0.0)] * 4)
    assert metrics.failure_weights() == {"find": LEAST_WEIGHT, "swap": 1.0}
    envs: Any = gym.make_vec(
        "LangRearrange-v0", num_envs=1, observation="state", split="train_mini"
    ).unwrapped
    others = {task: 0.001 for task in ("find", "go_to", "put", "take_off", "move_from_to")}
    envs.weigh_templates(others | {"open_fridge": 0.001, "close_fridge": 0.001, "swap": 9.0})
    envs.reset(seed=0)
    drawn = [envs.reset()[1]["template"][0] for _ in range(60)]
    assert drawn.count("swap") > 40
    assert set(drawn) <= {"swap", "place_two", *others, "open_fridge", "close_fridge"}
    for wrong in ({"nothing": 1.0}, {"swap": 0.0}, {"swap": float("nan")}):
        with pytest.raises(UsageError, match="accepted: a number above 0"):
            envs.weigh_templates(wrong)
    envs.close()


def test_privileged_facts_follow_the_task() -> None:
    envs: Any = gym.make_vec("LangRearrange-v0", num_envs=3, observation="state").unwrapped
    envs.reset(seed=0)
    before = privileged_facts(envs.tasks)
    assert before.shape == (3, PRIVILEGED_DIM)
    envs.step([0, 0, 0])
    after = privileged_facts(envs.tasks)
    assert ((before != after).sum(1) >= 2).all()  # the step and the robot's place
    envs.close()


@pytest.mark.parametrize("name", PAPER_PRESETS)
@pytest.mark.parametrize(
    "changes",
    [
        {"mask_invalid": True},
        {"critic": "own"},
        {"weight_templates": "failure"},
        {"shaping": "planner"},
        {"inputs": "last-action"},
    ],
)
def test_presets_of_the_paper_refuse_what_it_has_not(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(
        UsageError, match=f"preset '{name}' is the paper's, which has no {next(iter(changes))}"
    ):
        preset(name, **changes)
    preset(name, measure_noise=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"critic_inputs": "privileged"}, "are of an own critic; add --critic own"),
        ({"critic_warmup": 3}, "are of an own critic"),
        ({"mask_loss": 0.1}, "mask_loss is of masked training; add --mask-invalid"),
        ({"critic": "own", "critic_updates": 1}, "need the shared critic"),
        ({"critic": "own", "bootstrap_horizon": True}, "need the shared critic"),
        ({"weight_templates": "failure", "episodes": "x"}, "leave --episodes out"),
        ({"inputs": "reward"}, "inputs 'reward'; accepted: last-action, outcome"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        preset("small", **changes)


def test_envs_that_hide_their_tasks_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs envs that show their tasks; ToyEnvs does not"):
        toy_trainer(tmp_path, shaping="planner")
    trainer = toy_trainer(tmp_path, critic="own", critic_inputs="privileged")
    with pytest.raises(UsageError, match="critic_inputs 'privileged' needs envs that show"):
        trainer.run(until=1)


def test_presets_reach_the_batches_of_table_three_on_one_process() -> None:
    for name, batch in (("paper", 768), ("lstm_flan", 1152), ("lstm_llama", 1152)):
        config = preset(name)
        assert config.num_envs * config.num_steps // config.minibatches == batch
    flan, llama = preset("lstm_flan"), preset("lstm_llama")
    assert (flan.epochs, flan.weight_decay, flan.train_backbone) == (2, 0.0, "all")
    assert (llama.train_backbone, llama.summary, llama.epochs) == ("none", "perceiver", 2)
