"""Percepts mean the same from pictures and from the state, errors included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from langrearrange_baselines.engine.agent import PolicyAgent
from langrearrange_baselines.engine.checkpoint import read_json
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.engine.encoder import ObservationEncoder
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.evaluate import EvaluateArgs, run
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.train import imitate
from langrearrange_baselines.pretrained import fingerprint
from langrearrange_baselines.tensors import write_json
from langrearrange_baselines.train import train
from langrearrange_baselines.vision import VisionError, load_encoder
from langrearrange_baselines.vision.confusions import compare, estimate
from langrearrange_baselines.vision.labels import Labels
from langrearrange_baselines.vision.loading import perception
from langrearrange_baselines.vision.percepts import (
    CONFUSIONS,
    LAYOUT,
    NUM_PERCEPTS,
    PARTS,
    Confusions,
    Facts,
    StatePercepts,
    facts_of_percepts,
    facts_of_state,
    valid_skills,
)

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.errors import UsageError
from langrearrange.leaderboard import read_trace
from langrearrange.world import SKILLS, valid_mask

MEASURED = json.loads(CONFUSIONS.read_text(encoding="utf-8"))
SMALL: dict[str, Any] = {
    "encoder": "percepts",
    "split": "train_mini",
    "num_envs": 4,
    "num_steps": 8,
    "minibatches": 2,
    "num_updates": 1,
}


def drawn_facts(count: int, seed: int = 0) -> Facts:
    rng = np.random.default_rng(seed)
    choices = (rng.integers(0, PARTS[name], count) for name in ("held", "spot", "opened"))
    return Facts(rng.random((count, PARTS["at_stance"])) < 0.2, *choices)


@pytest.fixture(scope="module")
def states() -> dict[str, Any]:
    envs: Any = gym.make_vec(
        "LangRearrange-v0", num_envs=16, split="train_mini", observation="state"
    )
    observations, _ = envs.reset(seed=3)
    rng = np.random.default_rng(0)
    for _ in range(6):
        observations = envs.step(rng.integers(0, 70, 16))[0]
    envs.close()
    return dict(observations)


def test_true_facts_give_the_exact_mask_of_valid_skills() -> None:
    envs: Any = gym.make_vec(
        "LangRearrange-v0",
        num_envs=32,
        split="train_mini",
        observation="state",
        extras=("action_mask",),
    )
    observations, _ = envs.reset(seed=4)
    rng = np.random.default_rng(0)
    kinds = set()
    for _ in range(40):
        exact = observations["action_mask"].astype(bool)
        found = valid_skills(facts_of_state(observations))
        np.testing.assert_array_equal(found, exact)
        actions = (rng.random(exact.shape) * exact).argmax(1)
        kinds |= {SKILLS[i].kind for i in actions}
        observations = envs.step(actions)[0]
    envs.close()
    assert kinds == {"nav", "pick", "place", "open", "close"}


@pytest.mark.parametrize("encoder", ["symbolic", "percepts"])
def test_an_agent_masks_by_what_it_sees(encoder: str, tmp_path: Path) -> None:
    """Never by the env's own mask, which it is not given."""
    train(preset("small", out=tmp_path, **(SMALL | {"encoder": encoder})))
    agent = PolicyAgent.load(tmp_path, mask=True)
    envs: Any = gym.make_vec(
        "LangRearrange-v0", num_envs=16, split="train_mini", observation="state"
    )
    observations, _ = envs.reset(seed=4)
    agent.reset_rows(range(16), observations["instruction"])
    valid = []
    for _ in range(8):
        actions = agent.act_rows(range(16), observations)
        masks = [valid_mask(task.layout, task.state) for task in envs.unwrapped.tasks]
        valid += [mask >> int(action) & 1 for mask, action in zip(masks, actions, strict=True)]
        observations = envs.step(actions)[0]
    envs.close()
    assert sum(valid) >= (len(valid) if encoder == "symbolic" else 0.9 * len(valid))


def test_a_mask_needs_facts(tmp_path: Path) -> None:
    train(preset("tiny", out=tmp_path, **(SMALL | {"encoder": "segcnn", "num_steps": 1})))
    with pytest.raises(UsageError, match="needs the state or percepts, 'segcnn' gives neither"):
        PolicyAgent.load(tmp_path, mask=True)


def test_the_layout_has_84_numbers_and_a_version() -> None:
    assert (NUM_PERCEPTS, list(PARTS.values())) == (84, [33, 34, 14, 3])
    assert LAYOUT == "percepts 1 c3cc901f"  # another one needs another LAYOUT_VERSION


def test_facts_survive_the_layout() -> None:
    facts = drawn_facts(50)
    percepts = facts.percepts()
    assert (percepts.shape, percepts.dtype) == ((50, 84), torch.float16)
    for before, after in zip(facts, facts_of_percepts(percepts), strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_shipped_errors_are_those_of_the_shipped_detector() -> None:
    assert MEASURED["weights"] == fingerprint(load_encoder("segcnn"), torch.bfloat16)
    assert MEASURED["split"] == "train"
    assert MEASURED["num_pictures"] >= 8192
    missed = MEASURED["by_size"]["missed"]
    assert (
        missed[0] > missed[3] > missed[4] > missed[5]
    )  # what is small or hidden is missed more often


def test_errors_belong_to_the_view_and_are_drawn_as_measured(states: dict[str, Any]) -> None:
    encoder = StatePercepts.load()
    together = encoder.encode_observation(states)
    alone = {name: values[5:6] for name, values in states.items()}
    assert torch.equal(encoder.encode_observation(alone)[0], together[5])
    another = alone | {"instruction": ("another sentence",), "outcome": 1 - alone["outcome"]}
    assert encoder.encode_observation(another).shape == (1, 84)
    exact = StatePercepts(None).encode_observation(states)
    for true, found in zip(facts_of_state(states), facts_of_percepts(exact), strict=True):
        np.testing.assert_array_equal(true, found)


def test_draws_follow_the_probabilities() -> None:
    measured = json.loads(json.dumps(MEASURED))
    measured["miss"]["ball"] = [0.25] * PARTS["spot"]
    measured["false"] = {
        "anywhere": {},
        "beside_seen": {"ball": {"plum": 0.5}},
        "beside_missed": {"ball": {"plum": 1.0 - 1e-9}},
    }
    measured["held"] = {"33": {"0": 0.1}}
    facts = drawn_facts(20_000)
    stance = np.zeros_like(facts.at_stance)
    stance[:, 0] = True  # the ball, always
    facts = facts._replace(at_stance=stance, held=np.full(20_000, 33))
    draws = np.random.default_rng(1).random((20_000, 69))
    found = Confusions(measured).apply(facts, draws)
    plum = list(MEASURED["miss"]).index("plum")
    seen = found.at_stance[:, 0]
    assert seen.mean() == pytest.approx(0.75, abs=0.01)
    assert found.at_stance[seen, plum].mean() == pytest.approx(0.5, abs=0.02)
    assert found.at_stance[~seen, plum].all()
    assert found.at_stance.sum() == seen.sum() + found.at_stance[:, plum].sum()
    assert (found.held == 0).mean() == pytest.approx(0.1, abs=0.01)
    np.testing.assert_array_equal(found.spot, facts.spot) if not MEASURED["spot"] else None


def test_the_estimate_recovers_known_errors() -> None:
    truth = drawn_facts(6_000, seed=2)
    rng = np.random.default_rng(3)
    small = rng.random(truth.at_stance.shape) < 0.5
    missed = truth.at_stance & (rng.random(small.shape) < np.where(small, 0.3, 0.02))
    found = truth.at_stance & ~missed
    found[:, 1] |= missed[:, 0] & (rng.random(len(found)) < 0.8)
    labels = Labels(
        in_view=truth.at_stance,
        pixels=np.where(small, 20, 300),
        cells=np.zeros((6_000, 1, 1), np.int64),
        **truth._asdict(),
    )
    measured = estimate(labels, truth._replace(at_stance=found))
    assert measured["by_size"]["missed"][2] == pytest.approx(0.3, abs=0.02)
    assert measured["by_size"]["missed"][4] == pytest.approx(0.02, abs=0.01)
    assert np.mean([np.mean(row) for row in measured["miss"].values()]) == pytest.approx(
        0.16, abs=0.02
    )
    false = measured["false"]
    assert false["beside_missed"]["ball"]["clamp"] == pytest.approx(0.8, abs=0.1)
    assert sum(map(len, false["beside_seen"].values())) < 5
    assert measured["held"] == {}


@pytest.mark.parametrize("num_views", [100, pytest.param(2_000, marks=pytest.mark.slow)])
def test_pictures_and_state_agree(num_views: int) -> None:
    detector: Any = load_encoder("segcnn")
    table = compare(detector, StatePercepts.load(), num_views, "validation", 11)
    for name in PARTS:
        assert table[name]["agreement"] >= 0.97, table
        assert abs(table[name]["agreement"] - table[name]["injected"]) <= 0.02, table
    if num_views >= 2_000:
        assert min(table[name]["agreement"] for name in PARTS) >= 0.99, table
        for side in ("recall", "precision"):
            assert abs(table["pictures"][side] - table["state"][side]) <= 0.01, table


def test_a_policy_trained_on_the_state_side_plays_pictures(tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(preset("tiny", out=out, **SMALL))
    agent = PolicyAgent.load(out, encoder="segcnn")
    assert (agent.modality, agent.config.encoder) == ("rgb", "percepts:segcnn")
    assert (PolicyAgent.load(out).modality, PolicyAgent.load(out).perception) == ("state", "state")
    seen = []
    for encoder in ("", "segcnn"):
        trace = tmp_path / f"{encoder}.jsonl.gz"
        args = EvaluateArgs(
            checkpoint=out, out=trace, episodes=("train_eval",), num_episodes=4, encoder=encoder
        )
        run(args)
        seen.append(
            (read_trace(trace).header.agent.modality, read_trace(trace).header.agent.perception)
        )
    expected = "supervised detector (segcnn, trained on our labels)"
    assert seen == [("state", "state"), ("rgb", expected)]


@pytest.mark.parametrize("learner", ["llarp", "lstm"])
def test_imitation_and_ppo_train_on_percepts_from_either_side(tmp_path: Path, learner: str) -> None:
    clone, after = tmp_path / "clone", tmp_path / "after"
    common: dict[str, Any] = {"split": "train_mini", "num_envs": 4, "learner": learner}
    imitate(
        ImitationConfig(out=clone, encoder="percepts", num_steps=300, epochs=1, rounds=0, **common)
    )
    config = preset(
        "tiny",
        out=after,
        **SMALL | common | {"encoder": "percepts:segcnn", "init_from": str(clone)},
    )
    assert train(config).update == 1


def test_another_layout_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(preset("tiny", out=out, **SMALL))
    path = next((out / "checkpoints").iterdir()) / "state.json"
    state = read_json(path)
    state["encoder"]["fingerprint"] = "percepts 0 00000000"
    write_json(path, state)
    with pytest.raises(CheckpointError, match="layout 'percepts 0 00000000', this release has"):
        PolicyAgent.load(out)
    with pytest.raises(VisionError, match="measure again"):
        Confusions(MEASURED | {"layout": "percepts 0 00000000"})


def test_what_gives_no_percepts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VisionError, match="only segcnn and files"):
        load_encoder("percepts:symbolic")
    with pytest.raises(VisionError, match="cannot be read"):
        StatePercepts.load(tmp_path / "missing.json")
    with pytest.raises(VisionError, match="percepts:segcnn"):
        load_encoder("percepts").encode(torch.zeros(1, 8, 8, 3, dtype=torch.uint8))
    with pytest.raises(UsageError, match="no patches"):
        train(preset("tiny", out=tmp_path, **SMALL | {"tokens_per_step": 3}))


def test_proprioception_is_the_same_on_both_sides() -> None:
    sides = [
        ObservationEncoder(load_encoder(name), proprioception=True)
        for name in ("percepts", "percepts:segcnn")
    ]
    assert [side.proprio_dim for side in sides] == [0, 0]
    assert sides[0].fingerprint == sides[1].fingerprint == LAYOUT


def test_perception_is_named() -> None:
    names = ("segcnn", "percepts:segcnn", "percepts", "symbolic", "random", "models/dinov2")
    detector = "supervised detector (segcnn, trained on our labels)"
    assert [perception(name) for name in names] == [
        detector, detector, "state", "state",
        "generic pixels (random)", "generic pixels (models/dinov2)",
    ]  # fmt: skip
