"""Keeping keys changes nothing: neither what the policy does nor what it learns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines.engine.errors import BackboneError
from langrearrange_baselines.engine.tiny import WordTokenizer, tiny_model
from langrearrange_baselines.llarp.backbone import Backbone, load_backbone
from langrearrange_baselines.llarp.lora import add_lora
from langrearrange_baselines.llarp.policy import LlarpPolicy
from langrearrange_baselines.llarp.prefixes import PrefixStore
from langrearrange_baselines.pretrained import fingerprint
from small_policies import (
    SENTENCES,
    SMALL,
    Played,
    episodes_of,
    policy_on,
    recomputed,
    small_policy,
)
from torch import Tensor

CASES = {
    "one token a step": {},
    "a Perceiver and three tokens a step": {"tokens_per_step": 3},
    "keys shared by heads": {"num_key_value_heads": 2},
}


def gradient(policy: torch.nn.Module, logits: Tensor, values: Tensor) -> Tensor:
    policy.zero_grad()
    weights = torch.linspace(-1, 1, logits.numel()).reshape(logits.shape)
    ((logits * weights).sum() + values.square().sum()).backward()
    return torch.cat([p.grad.flatten() for p in policy.parameters() if p.grad is not None])


@pytest.mark.parametrize("case", CASES)
def test_acting_token_by_token_is_reading_everything_anew(case: str) -> None:
    policy = small_policy(1, **CASES[case])
    played = Played(policy, num_rows=5, seed=2)
    for _ in range(3):  # the later rollouts begin in the middle of episodes
        rows, logits, values = played.rollout(6)
        slow_logits, slow_values = recomputed(policy, rows)
        assert (logits - slow_logits).abs().max() <= 1e-5
        assert (values - slow_values).abs().max() <= 1e-5
    assert int(rows.carried.counts.max()) > 0


@pytest.mark.parametrize("case", CASES)
def test_a_whole_rollout_at_once_says_what_was_said_step_by_step(case: str) -> None:
    policy = small_policy(3, **CASES[case])
    played = Played(policy, num_rows=4, seed=4)
    for _ in range(3):
        rows, logits, values = played.rollout(6)
        for evaluate in (policy.evaluate_constant, policy.evaluate_full):
            heads = evaluate(rows)
            assert (heads.logits - logits).abs().max() <= 1e-5
            assert (heads.value - values).abs().max() <= 1e-5


def test_after_a_step_of_training_the_running_episodes_are_those_of_the_new_policy() -> None:
    policy = small_policy(5)
    played = Played(policy, num_rows=4, seed=6)
    played.rollout(5)
    with torch.no_grad():
        for parameter in policy.observation.parameters():
            parameter.add_(0.1)
    rows, logits, _ = played.rollout(5)
    assert int(rows.carried.counts.max()) > 0
    assert (logits - recomputed(policy, rows)[0]).abs().max() <= 1e-5


@pytest.mark.parametrize("case", CASES)
def test_constant_instructions_leave_the_gradient_as_it_is(case: str) -> None:
    policy = small_policy(7, **CASES[case])
    rows, _, _ = Played(policy, num_rows=4, seed=8).rollout(12)
    constant = gradient(policy, *policy.evaluate_constant(rows))
    full = gradient(policy, *policy.evaluate_full(rows))
    slow = gradient(policy, *recomputed(policy, rows))
    assert (constant - full).norm() <= 1e-5 * full.norm()
    assert (constant - slow).norm() <= 1e-5 * slow.norm()


def test_rows_may_act_alone_and_in_any_order() -> None:
    policy = small_policy(9)
    together, alone = episodes_of(policy, 3), episodes_of(policy, 1)
    alone.grow(3)
    for episodes in (together, alone):
        episodes.begin([0, 1, 2], SENTENCES[:3])
    rng = torch.Generator().manual_seed(0)
    for _ in range(3):
        features = torch.randn(3, 12, generator=rng).half()
        proprio = torch.randn(3, 3, generator=rng)
        all_at_once = together.step(features, proprio).logits
        for rows in ([2], [0, 1]):
            part = alone.step(features[rows], proprio[rows], rows).logits
            assert (part - all_at_once[rows]).abs().max() <= 1e-5


def test_asking_for_a_value_takes_nothing_in() -> None:
    policy = small_policy(10)
    episodes = episodes_of(policy, 2)
    episodes.begin([0, 1], SENTENCES[:2])
    features, proprio = torch.ones(2, 12).half(), torch.ones(2, 3)
    value = episodes.value_of(features, proprio)
    episodes.value_of(-features, proprio)
    assert torch.equal(episodes.step(features, proprio).value, value)
    assert episodes.counts.tolist() == [1, 1]


def test_an_encoder_reads_the_sentence_both_ways_and_acts_the_same_cached_or_not() -> None:
    policy = policy_on(small_bert())
    rows, logits, _ = Played(policy, num_rows=3, seed=1).rollout(9)
    assert (logits - recomputed(policy, rows)[0]).abs().max() <= 1e-5
    full, constant = policy.evaluate_full(rows), policy.evaluate_constant(rows)
    assert (full.logits - logits).abs().max() <= 1e-5
    slow = gradient(policy, *recomputed(policy, rows))
    assert (gradient(policy, *constant) - slow).norm() <= 1e-5 * slow.norm()


def small_bert() -> Backbone:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=8192,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        is_decoder=True,
    )
    model = BertModel(config, add_pooling_layer=False)
    return Backbone(model, WordTokenizer(), bidirectional_prefix=True)


@pytest.mark.parametrize("change", ["fine-tuning", "LoRA"])
def test_a_trained_backbone_is_read_anew_and_takes_the_full_gradient(change: str) -> None:
    policy = small_policy(11)
    if change == "LoRA":
        assert add_lora(policy.backbone.model, rank=2, alpha=4.0, seed=0) == 4
        for name, parameter in policy.named_parameters():
            if name.endswith("lora_up"):
                torch.nn.init.normal_(parameter, std=0.1)
    else:
        policy.backbone.model.requires_grad_(True)
    played = Played(policy, num_rows=3, seed=3)
    rows, logits, _ = played.rollout(6)
    heads = policy.evaluate(rows)
    assert (heads.logits - logits).abs().max() <= 1e-5
    slow = gradient(policy, *recomputed(policy, rows))
    assert (gradient(policy, *heads) - slow).norm() <= 1e-4 * slow.norm()
    with torch.no_grad():
        for _, parameter in policy.trained():
            parameter.add_(0.01 * torch.randn_like(parameter))
    rows, logits, _ = played.rollout(6)
    assert (logits - recomputed(policy, rows)[0]).abs().max() <= 1e-5


def test_a_fresh_lora_is_the_backbone_itself() -> None:
    plain, changed = small_policy(12), small_policy(12)
    add_lora(changed.backbone.model, rank=4, alpha=8.0, seed=0)
    assert fingerprint(changed.backbone) == fingerprint(plain.backbone)
    logits = Played(plain, 2, seed=0).rollout(4)[1]
    assert torch.equal(Played(changed, 2, seed=0).rollout(4)[1], logits)
    trained = {name.rsplit(".", 1)[1] for name, _ in changed.backbone.named_parameters()}
    assert {"lora_up", "lora_down"} <= trained
    assert all("lora" in n for n, p in changed.backbone.named_parameters() if p.requires_grad)


def test_an_instruction_is_read_once_and_the_least_recent_goes_first() -> None:
    policy = small_policy(13)
    store = PrefixStore(policy.backbone)
    sizes = [prefix.num_bytes for prefix in store.get_all(SENTENCES)]
    assert (store.hits, store.misses, store.num_bytes) == (0, 4, sum(sizes))
    first, again = store.get_all([SENTENCES[1], SENTENCES[1]])
    assert first is again
    assert store.hits == 2
    small = PrefixStore(policy.backbone, max_bytes=sizes[0] + sizes[1])
    for number, misses in ((0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (1, 4)):
        small.get(SENTENCES[number])
        assert small.misses == misses
        assert small.num_bytes <= sizes[0] + sizes[1]


def test_reading_alone_or_together_gives_the_same_keys() -> None:
    policy = small_policy(13)
    together = PrefixStore(policy.backbone).get_all(SENTENCES)
    alone = PrefixStore(policy.backbone, together=False).get_all(SENTENCES)
    reverse = PrefixStore(policy.backbone, together=False).get_all(SENTENCES[::-1])[::-1]
    for first, second, third in zip(together, alone, reverse, strict=True):
        assert (first.keys - second.keys).abs().max() <= 1e-5
        assert (first.values - second.values).abs().max() <= 1e-5
        assert torch.equal(second.keys, third.keys)
        assert torch.equal(second.values, third.values)


def keys_of(policy: LlarpPolicy, sentence: str) -> Tensor:
    """Keys and values of a sentence that is read alone."""
    prefix = PrefixStore(policy.backbone, together=False).get(sentence)
    return torch.stack([prefix.keys, prefix.values])


def test_a_sentence_is_read_from_where_it_parts_with_one_that_is_there() -> None:
    policy = small_policy(16)
    lengths = {text: len(policy.backbone.token_ids(text)) for text in SENTENCES}
    store = PrefixStore(policy.backbone)
    store.get_all(SENTENCES)
    assert store.tokens_read == sum(lengths.values())
    alike = ["Bring me the red cup.", "Bring me the", "Find a mug! Put the lid in the sink."]
    read = store.get_all(alike)
    # "cup ."; what is there whole is read from its last token on; what follows "Find a mug!".
    assert store.tokens_read - sum(lengths.values()) == 2 + 1 + 7
    for text, prefix in zip(alike, read, strict=True):
        found = torch.stack([prefix.keys, prefix.values])
        assert (found - keys_of(policy, text)).abs().max() <= 1e-5
    alone = PrefixStore(policy.backbone, together=False)
    alone.get_all([*SENTENCES, *alike])
    assert alone.tokens_read == sum(len(p) for p in alone.get_all([*SENTENCES, *alike]))


def test_what_was_forgotten_is_not_begun_from() -> None:
    policy = small_policy(16)
    store = PrefixStore(policy.backbone, max_bytes=1)
    for text in ("Bring me the ball.", "Find a mug!", "Bring me the cup."):
        store.get(text)
    assert len(store) == 1
    tokens = [len(policy.backbone.token_ids(t)) for t in ("Bring me the ball.", "Find a mug!")]
    assert store.tokens_read == 2 * tokens[0] + tokens[1] - 2  # all begin with the same token
    store.clear()
    store.get("Bring me the cup.")
    assert store.tokens_read == 3 * tokens[0] + tokens[1] - 2


@pytest.mark.parametrize("bidirectional", [False, True])
def test_more_sentences_than_fit_into_one_pass_are_read_alike(bidirectional: bool) -> None:
    policy = policy_on(small_bert()) if bidirectional else small_policy(17)
    texts = [f"Bring {'very ' * (i % 7)}many things {i}" for i in range(90)]
    together = PrefixStore(policy.backbone).get_all(texts)
    for text, prefix in list(zip(texts, together, strict=True))[::7]:
        found = torch.stack([prefix.keys, prefix.values])
        assert (found - keys_of(policy, text)).abs().max() <= 1e-5


def test_the_slots_grow_with_long_sentences_and_keep_what_is_there() -> None:
    policy = small_policy(14)
    episodes = episodes_of(policy, 2)
    episodes.begin([0, 1], SENTENCES[:2])
    features, proprio = torch.ones(2, 12).half(), torch.ones(2, 3)
    episodes.step(features, proprio)
    episodes.begin([1], ["word " * 100])
    fresh = episodes_of(policy, 1)
    fresh.begin([0], [SENTENCES[0]])
    fresh.step(features[:1], proprio[:1])
    grown = episodes.step(features, proprio).logits[0]
    assert (grown - fresh.step(features[:1], proprio[:1]).logits[0]).abs().max() <= 1e-5


def test_a_sentence_longer_than_the_model_is_refused() -> None:
    policy = small_policy(15, max_position_embeddings=20)
    episodes = episodes_of(policy, 1)
    with pytest.raises(BackboneError, match="20 positions"):
        episodes.begin([0], ["word " * 30])


def test_bfloat16_acts_nearly_as_it_learns() -> None:
    model: Any = tiny_model(0, **SMALL)
    backbone = Backbone(model.to(torch.bfloat16), WordTokenizer())
    policy = policy_on(backbone)
    assert {p.dtype for p in policy.action.parameters()} == {torch.float32}
    rows, logits, _ = Played(policy, num_rows=3, seed=1).rollout(6)
    heads = policy.evaluate(rows)
    assert heads.logits.dtype == torch.float32
    assert (heads.logits - logits).abs().max() <= 0.1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/nowhere/llama", "is not a folder"),
        ("./nowhere", "is not a folder"),
    ],
)
def test_a_wrong_path_to_weights_is_one_sentence(name: str, words: str) -> None:
    with pytest.raises(BackboneError, match=words) as caught:
        load_backbone(name)
    assert "\n" not in str(caught.value)


def test_a_folder_that_holds_no_model_is_one_sentence(tmp_path: object) -> None:
    with pytest.raises(BackboneError, match="cannot be loaded") as caught:
        load_backbone(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_model_saved_by_hugging_face_is_loaded_by_its_path(tmp_path: Path) -> None:
    save_model(tmp_path)
    backbone = load_backbone(str(tmp_path), dtype="bfloat16")
    assert backbone.dtype == torch.bfloat16
    assert len(backbone.token_ids(SENTENCES[0])) > 1
    again = load_backbone(str(tmp_path), weights="random", seed=1)
    same = load_backbone(str(tmp_path), weights="random", seed=1)
    assert fingerprint(again) == fingerprint(same) != fingerprint(load_backbone(str(tmp_path)))
    rows, logits, _ = Played(policy_on(again), 2, seed=0).rollout(4)
    assert (logits - policy_on(again).evaluate(rows).logits).abs().max() <= 1e-5


def save_model(path: Path) -> None:
    from transformers import MistralConfig, MistralModel

    torch.manual_seed(0)
    shape: dict[str, Any] = {
        **SMALL,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 300,
    }
    MistralModel(MistralConfig(**shape)).save_pretrained(path)
    word_level_tokenizer().save_pretrained(path)


def word_level_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = sorted({w for s in SENTENCES for w in s.split()})
    vocab = {word: i for i, word in enumerate(["[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"num_hidden_layers": 3}, r"its weights lack layers\.2\.\S+ and \d+ more"),
        ({"intermediate_size": 48}, r"layers\.0\.mlp\.down_proj\.weight is 32x64, by config\.json"),
        (None, "its weights are corrupt"),
    ],
)
def test_weights_that_do_not_fill_the_model_are_refused(
    spoil: dict[str, int] | None, says: str, tmp_path: Path
) -> None:
    save_model(tmp_path)
    if spoil is None:
        weights = tmp_path / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:5000])
    else:
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(config | spoil))
    with pytest.raises(BackboneError, match=says):
        load_backbone(str(tmp_path))
