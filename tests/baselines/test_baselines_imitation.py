"""Demonstrations keep what was seen and done; cloning learns from it what acting will see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from langrearrange_baselines.engine.encoder import ObservationEncoder
from langrearrange_baselines.engine.episodes import Sizes
from langrearrange_baselines.engine.policy import ActionModule
from langrearrange_baselines.engine.tiny import WordTokenizer, tiny_model
from langrearrange_baselines.imitation.clone import Cloner, batched, pack
from langrearrange_baselines.imitation.collect import Collector
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.demonstrations import (
    NO_ADVICE,
    DemonstrationError,
    Demonstrations,
    join,
    read,
    write,
)
from langrearrange_baselines.imitation.experts import ExplorerExpert, OracleExpert, PolicyExpert
from langrearrange_baselines.llarp.backbone import Backbone
from langrearrange_baselines.llarp.episodes import LlarpEpisodes
from langrearrange_baselines.llarp.observation import ObservationModule
from langrearrange_baselines.llarp.policy import LlarpPolicy
from langrearrange_baselines.llarp.prefixes import PrefixStore
from langrearrange_baselines.lstm.episodes import LstmEpisodes
from langrearrange_baselines.lstm.policy import LstmPolicy, Summary
from langrearrange_baselines.lstm.text import SentenceStore, TextEncoder
from langrearrange_baselines.vision import load_encoder

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.agents import ExplorerAgent
from langrearrange.errors import UsageError
from langrearrange.world import NUM_SKILLS, skill_index

SHAPE = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
STATE_DIM = 98


def envs(num_envs: int = 4, **kwargs: Any) -> Any:
    options = {"observation": "state", "split": "train_mini", "autoreset_mode": "SameStep"}
    return gym.make_vec("LangRearrange-v0", num_envs=num_envs, **options | kwargs).unwrapped


@pytest.fixture
def world() -> Iterator[Any]:
    made = envs()
    yield made
    made.close()


def state_encoder() -> ObservationEncoder:
    return ObservationEncoder(load_encoder("symbolic"), proprioception=False)


def collector(world: Any, expert: Any, seed: int = 0) -> Collector:
    rng = torch.Generator().manual_seed(seed)
    made = Collector(world, state_encoder(), expert, rng, cloning(encoder="symbolic"))
    made.begin(seed)
    return made


def small_llarp(feature_dim: int = STATE_DIM) -> tuple[LlarpPolicy, LlarpEpisodes]:
    torch.manual_seed(0)
    backbone = Backbone(tiny_model(0, **SHAPE), WordTokenizer())
    observation = ObservationModule((feature_dim,), 0, 16)
    policy = LlarpPolicy(backbone, observation, ActionModule(16, NUM_SKILLS, 32))
    store = PrefixStore(policy.backbone)
    return policy, LlarpEpisodes(policy, store, Sizes(4, 32, (feature_dim,), 0))


def small_lstm(feature_dim: int = STATE_DIM) -> tuple[LstmPolicy, LstmEpisodes]:
    torch.manual_seed(0)
    text = TextEncoder(tiny_model(0, **SHAPE), WordTokenizer(), 16)
    policy = LstmPolicy(text, Summary(16, "last"), feature_dim, 0, NUM_SKILLS, 32)
    store = SentenceStore(policy.backbone)
    return policy, LstmEpisodes(policy, store, Sizes(4, 32, (feature_dim,), 0))


LEARNERS = {"llarp": small_llarp, "lstm": small_lstm}


def cloning(**changes: Any) -> ImitationConfig:
    return ImitationConfig(**changes)


@pytest.fixture(scope="module")
def shown() -> Demonstrations:
    made = envs()
    demonstrations = collector(made, OracleExpert(made)).record(200)
    made.close()
    return demonstrations


# -- experts -----------------------------------------------------------------------------------


def test_the_oracle_shows_its_plans_and_always_succeeds(world: Any) -> None:
    shown = collector(world, OracleExpert(world)).record(120)
    assert shown.num_episodes > 5
    assert shown.success.all()
    assert torch.equal(shown.advice, shown.actions)


def test_the_explorer_does_what_the_bundled_agent_does() -> None:
    world = envs(1)
    expert = ExplorerExpert(world)
    agent = ExplorerAgent()
    observations, _ = world.reset(seed=3)
    expert.begin([0], observations["instruction"])
    agent.reset(observations["instruction"][0])
    for _ in range(60):
        advice = expert.advise(observations)
        acted = agent.act({name: values[0] for name, values in observations.items()})
        assert advice[0] in (acted, NO_ADVICE)
        actions = np.array([acted])
        expert.done(actions)
        observations, _, terminated, truncated, _ = world.step(actions)
        if (terminated | truncated)[0]:
            expert.begin([0], observations["instruction"])
            agent.reset(observations["instruction"][0])
    world.close()


def test_advice_that_is_not_heeded_is_given_again() -> None:
    world = envs(1)
    world.reset(seed=0)
    expert = ExplorerExpert(world)
    expert.begin([0], ["Open the fridge."])
    elsewhere = np.array([skill_index("nav(sofa)")])
    first = expert.advise(None)
    for _ in range(3):
        expert.done(elsewhere)
        world.step(elsewhere)
        assert expert.advise(None)[0] == first[0] == skill_index("nav(fridge)")
    world.close()


def test_the_oracle_is_silent_once_its_plan_was_left(world: Any) -> None:
    observations, _ = world.reset(seed=0)
    expert = OracleExpert(world)
    expert.begin(range(4), observations["instruction"])
    advice = expert.advise(observations)
    done = advice.copy()
    done[1] = (done[1] + 1) % NUM_SKILLS
    expert.done(done)
    after = expert.advise(observations)
    assert after[1] == NO_ADVICE
    assert (after[[0, 2, 3]] != NO_ADVICE).any()


def test_a_policy_can_be_the_expert(world: Any) -> None:
    _, episodes = small_llarp()
    expert = PolicyExpert(episodes, state_encoder(), torch.Generator().manual_seed(0))
    shown = collector(world, expert).record(160)
    assert shown.num_episodes >= 4
    assert torch.equal(shown.advice, shown.actions)


# -- recording ---------------------------------------------------------------------------------


def test_episodes_are_whole_and_hold_what_the_env_gave(world: Any) -> None:
    recorder = collector(world, ExplorerExpert(world))
    shown = recorder.record(160)
    assert recorder.env_steps >= 160 >= shown.num_steps
    assert shown.features.shape == (shown.num_steps, STATE_DIM)
    for episode in range(shown.num_episodes):
        rewards = shown.rewards[int(shown.starts[episode]) : int(shown.starts[episode + 1])]
        # Success pays 10, and it is the last thing that happens.
        assert bool(rewards[-1] > 9) == bool(shown.success[episode])
        assert (rewards[:-1] < 9).all()
        # An episode begins at the start pose, holding nothing.
        first = shown.features[int(shown.starts[episode])]
        assert first[16] == 1
        assert first[17 + 33] == 1


def test_recording_goes_on_where_it_stopped() -> None:
    whole, parts = envs(), envs()
    at_once = collector(whole, OracleExpert(whole)).record(160)
    recorder = collector(parts, OracleExpert(parts))
    joined = join([recorder.record(80), recorder.record(80)])
    assert torch.equal(at_once.actions, joined.actions)
    assert torch.equal(at_once.features, joined.features)
    assert [at_once.sentences[i] for i in at_once.sentence] == [
        joined.sentences[i] for i in joined.sentence
    ]
    whole.close()
    parts.close()


def test_no_episode_may_end_within_a_recording(world: Any) -> None:
    recorder = collector(world, OracleExpert(world))
    none = recorder.record(0)
    assert (none.num_episodes, none.num_steps, none.success_rate) == (0, 0, 0.0)
    later = recorder.record(160)
    both = join([none, later])
    assert torch.equal(both.features, later.features)
    assert both.sentences == later.sentences
    first = later.select([0])
    assert first.features[0, 16] == 1  # whole: it begins at the start pose


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_who_acts_follows_the_share_of_the_expert(world: Any, share: float) -> None:
    _, episodes = small_llarp()
    shown = collector(world, ExplorerExpert(world)).record(120, episodes, expert_share=share)
    known = shown.advice != NO_ADVICE
    agreed = (shown.advice == shown.actions)[known].float().mean().item()
    assert (agreed == 1.0) == (share == 1.0)
    assert shown.source["expert_share"] == share


@pytest.mark.parametrize("kind", LEARNERS)
def test_a_learner_acts_while_the_expert_advises(world: Any, kind: str) -> None:
    _, episodes = LEARNERS[kind]()
    recorder = collector(world, ExplorerExpert(world))
    recorder.record(20)
    shown = recorder.record(160, episodes, expert_share=0.5)
    known = shown.advice != NO_ADVICE
    agreed = (shown.advice == shown.actions)[known].float().mean().item()
    assert 0.3 < agreed < 0.75
    alone = recorder.record(160, episodes, expert_share=0.0)
    assert (alone.advice == alone.actions).float().mean() < 0.2


# -- the format --------------------------------------------------------------------------------


def test_demonstrations_survive_a_file(shown: Demonstrations, tmp_path: Path) -> None:
    write(shown, tmp_path / "d.safetensors")
    again = read(tmp_path / "d.safetensors")
    for name in Demonstrations.__dataclass_fields__:
        ours, theirs = getattr(shown, name), getattr(again, name)
        assert torch.equal(ours, theirs) if isinstance(ours, torch.Tensor) else ours == theirs


def test_episodes_can_be_chosen_and_joined(shown: Demonstrations) -> None:
    first, rest = shown.select([0]), shown.select(range(1, shown.num_episodes))
    again = join([first, rest])
    assert torch.equal(again.starts, shown.starts)
    assert torch.equal(again.advice, shown.advice)
    assert [again.sentences[i] for i in again.sentence] == [
        shown.sentences[i] for i in shown.sentence
    ]
    assert shown.select([]).num_steps == 0
    assert shown.successful().num_episodes == shown.num_episodes


def test_the_controls_change_only_what_they_say(shown: Demonstrations) -> None:
    shuffled = shown.with_shuffled_sentences(1)
    assert torch.equal(shuffled.features, shown.features)
    assert not torch.equal(shuffled.sentence, shown.sentence)
    assert torch.equal(shuffled.sentence.sort().values, shown.sentence.sort().values)
    blind = shown.blind()
    assert not blind.features.any()
    assert torch.equal(blind.advice, shown.advice)


def test_what_does_not_mix_or_cannot_be_read_is_refused(
    shown: Demonstrations, tmp_path: Path
) -> None:
    other = Demonstrations(**{
        **{name: getattr(shown, name) for name in Demonstrations.__dataclass_fields__},
        "source": {"encoder": {"name": "segcnn"}},
    })  # fmt: skip
    with pytest.raises(DemonstrationError, match="do not mix"):
        join([shown, other])
    with pytest.raises(DemonstrationError, match="give at least one"):
        join([])
    file = tmp_path / "d.safetensors"
    with pytest.raises(DemonstrationError, match="there is no file"):
        read(file)
    file.write_bytes(b"nonsense")
    with pytest.raises(DemonstrationError, match="cannot be read"):
        read(file)
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        write(shown, tmp_path / "d.npz")


# -- cloning -----------------------------------------------------------------------------------


@given(lengths=st.lists(st.integers(1, 32), min_size=1, max_size=80))
def test_packing_keeps_every_episode_once_and_no_row_too_long(lengths: list[int]) -> None:
    by_episode = dict(enumerate(lengths))
    rows = pack(list(by_episode), by_episode, 32)
    assert sorted(episode for row in rows for episode in row) == list(by_episode)
    assert all(0 < sum(by_episode[e] for e in row) <= 32 for row in rows)


def test_batches_hold_every_step_with_its_advice(shown: Demonstrations) -> None:
    policy, episodes = small_llarp()
    rng = torch.Generator().manual_seed(0)
    seen = []
    for rows, advice in batched(shown, episodes.store, policy, cloning(rows_per_batch=3), rng):
        known = torch.zeros_like(advice, dtype=torch.bool)
        for row, start, stop, _ in rows.segments:
            steps = slice(start, stop)
            pairs = zip(rows.features[row, steps], advice[row, steps].tolist(), strict=True)
            seen += [(*features.tolist(), skill) for features, skill in pairs]
            known[row, steps] = True
        assert (advice[~known] == NO_ADVICE).all()
    pairs = zip(shown.features, shown.advice.tolist(), strict=True)
    assert sorted(seen) == sorted((*f.tolist(), a) for f, a in pairs)


@pytest.mark.parametrize("kind", LEARNERS)
def test_cloning_sees_what_acting_will_see(shown: Demonstrations, kind: str) -> None:
    policy, episodes = LEARNERS[kind]()
    few = shown.select(range(5))
    rng = torch.Generator().manual_seed(0)
    by_step: dict[tuple[float, ...], torch.Tensor] = {}
    for rows, _ in batched(few, episodes.store, policy, cloning(rows_per_batch=2), rng):
        logits = policy.evaluate(rows).logits.detach()
        for row, start, stop, instruction in rows.segments:
            for step in range(start, stop):
                by_step[instruction.ids, step - start] = logits[row, step]
    for episode in range(5):
        sentence = few.sentences[int(few.sentence[episode])]
        episodes.begin([0], [sentence])
        for offset in range(few.length(episode)):
            at = int(few.starts[episode]) + offset
            acted = episodes.step(few.features[at : at + 1], few.proprio[at : at + 1], rows=[0])
            key = (episodes.instructions[0].ids, offset)
            torch.testing.assert_close(acted.logits[0], by_step[key], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", LEARNERS)
def test_cloning_learns_and_leaves_the_frozen_alone(shown: Demonstrations, kind: str) -> None:
    policy, episodes = LEARNERS[kind]()
    backbone: Any = policy.backbone
    frozen = [p.clone() for p in backbone.parameters()]
    config = cloning(lr=1e-2, rows_per_batch=4)
    cloner = Cloner(policy, episodes.store, config, torch.Generator().manual_seed(0))
    few = shown.select(range(8))
    records = [cloner.train_pass(few, epoch / 80) for epoch in range(80)]
    assert records[-1]["loss"] < 0.5 * records[0]["loss"]
    assert records[-1]["accuracy"] > 0.4
    assert all(map(torch.equal, frozen, backbone.parameters()))


def test_nothing_to_learn_and_rows_too_short_are_said(shown: Demonstrations) -> None:
    policy, episodes = small_lstm()
    rng = torch.Generator().manual_seed(0)
    cloner = Cloner(policy, episodes.store, cloning(horizon=2), rng)
    with pytest.raises(DemonstrationError, match="longer than --horizon 2"):
        cloner.train_pass(shown, 0.0)
    with pytest.raises(DemonstrationError, match="record more"):
        cloner.train_pass(shown.select([]), 0.0)
