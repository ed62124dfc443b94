"""A local chat model: the trie's choice is exact, and what is kept changes no answer."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from langrearrange_baselines.engine.errors import BackboneError
from langrearrange_baselines.engine.tiny import tiny_model
from langrearrange_baselines.zero_shot.finetune import encode
from langrearrange_baselines.zero_shot.finetune import main as finetune
from langrearrange_baselines.zero_shot.local import LocalModel, likeliest
from langrearrange_baselines.zero_shot.model import ContextTooLongError
from langrearrange_baselines.zero_shot.run import main
from torch import Tensor

from langrearrange.leaderboard import read_trace
from langrearrange.leaderboard.transcript import read_transcript
from langrearrange.world import ACTION_NAMES

END = 0
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ' ' + m['content'] + ' end ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant ' }}{% endif %}"
)
TALK = [
    {"role": "system", "content": "go to the sofa or the sink"},
    {"role": "user", "content": "pick up the apple"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with the words of all actions and a chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    path = tmp_path_factory.mktemp("model")
    words = sorted({word for name in ACTION_NAMES for word in name.split()})
    vocabulary = {word: i for i, word in enumerate(["end", "[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="end")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(path)
    config = tiny_model(0, vocab_size=len(vocabulary), max_position_embeddings=4096).config
    config.eos_token_id = END
    torch.manual_seed(1)
    LlamaForCausalLM(config).save_pretrained(path)
    return path


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.lists(st.integers(1, 4), max_size=4).map(tuple), min_size=1, max_size=20),
    st.integers(0, 1000),
)
def test_the_likeliest_path_of_a_trie_is_found(beginnings: set[Any], seed: int) -> None:
    paths = [(*beginning, END) for beginning in sorted(beginnings)]

    def log_probs(path: tuple[int, ...]) -> Tensor:
        generator = torch.Generator().manual_seed(hash((seed, *path)) % 2**31)
        return torch.randn(5, generator=generator, dtype=torch.float64).log_softmax(-1)

    def total(path: tuple[int, ...]) -> float:
        return sum(float(log_probs(path[:i])[token]) for i, token in enumerate(path))

    best = likeliest(paths, log_probs)
    assert total(paths[best]) == pytest.approx(max(map(total, paths)), abs=1e-9)


def test_what_is_kept_changes_no_answer(folder: Path) -> None:
    kept = LocalModel(str(folder), max_answer_tokens=6)
    longer = [
        *TALK,
        {"role": "assistant", "content": "the sofa"},
        {"role": "user", "content": "go"},
    ]
    for talk in (TALK, longer, TALK[:1], longer, TALK):
        fresh = LocalModel(str(folder), max_answer_tokens=6)
        assert kept.answer(talk, 60) == fresh.answer(talk, 60)
        fresh.close()
        assert kept.choose(talk, ACTION_NAMES, 60) == fresh.choose(talk, ACTION_NAMES, 60)


def test_the_choice_is_the_likeliest_name_read_token_by_token(folder: Path) -> None:
    model = LocalModel(str(folder), max_answer_tokens=6)
    prompt = model._tokens(TALK)
    totals = []
    for name in ACTION_NAMES:
        path = [*model._tokenizer(name)["input_ids"], END]
        values = [model._log_probs([*prompt, *path[:i]])[token] for i, token in enumerate(path)]
        totals.append(float(sum(values)))
    chosen, reply = model.choose(TALK, ACTION_NAMES, 60)
    assert totals[chosen] == pytest.approx(max(totals), abs=1e-5)
    assert reply.text == ACTION_NAMES[chosen]


def test_models_that_cannot_be_used_are_refused(folder: Path, tmp_path: Path) -> None:
    short = LocalModel(str(folder), max_answer_tokens=4090)
    with pytest.raises(ContextTooLongError, match="the model reads 6"):
        short.answer(TALK, 60)
    with pytest.raises(BackboneError, match="not a folder"):
        LocalModel("./nothing/at/all")
    for file in folder.iterdir():
        if file.name != "chat_template.jinja":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(BackboneError, match="no chat template"):
        LocalModel(str(tmp_path))


@pytest.mark.parametrize("choice", ["logprobs", "answer"])
def test_a_local_model_plays_by_one_command(folder: Path, tmp_path: Path, choice: str) -> None:
    out = tmp_path / "local.jsonl.gz"
    command = ["--local", str(folder), "--choice", choice, "--max-answer-tokens", "4"]
    command += ["--episodes", "train_eval", "--num-episodes", "2", "--horizon", "3"]
    assert main([*command, "--out", str(out)]) == (choice == "answer"), "random words are refused"
    exchanges = read_transcript(tmp_path / "local.transcript.jsonl")
    run = read_trace(out)
    assert {episode.failure for episode in run.episodes} == {
        "refusal" if choice == "answer" else ""
    }
    for before, after in pairwise(exchanges):
        assert after.turn in (0, before.turn + 1)
    assert all(exchange.prompt_tokens > 5 for exchange in exchanges)


def test_a_conversation_is_learned_by_the_language_head(folder: Path, tmp_path: Path) -> None:
    talk = [*TALK, {"role": "assistant", "content": "put it on the sofa"}]
    data, out = tmp_path / "chat.jsonl", tmp_path / "tuned"
    data.write_text(json.dumps({"messages": talk}) + "\n")
    before = LocalModel(str(folder), max_answer_tokens=8).answer(TALK, 60).text
    command = ["--data", str(data), "--out", str(out), "--local", str(folder)]
    assert finetune(["--num-steps", "100", "--batch", "1", "--lr", "0.02", *command]) == 0
    lines = (out / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < 0.1 * losses[0]
    answer = LocalModel(str(out), max_answer_tokens=8).answer(TALK, 60)
    assert (answer.text, answer.cut) == ("put it on the sofa", False), f"was {before}"
    assert finetune(command) == 2, "what is there is not overwritten"
    data.write_text("{}\n")
    assert finetune([*command[:2], "--out", str(tmp_path / "new")]) == 1


def test_what_the_assistant_says_and_its_end_are_marked(folder: Path) -> None:
    model = LocalModel(str(folder))
    talk = [*TALK, {"role": "assistant", "content": "go to the sink"}, TALK[1]]
    talk.append({"role": "assistant", "content": "open the fridge"})
    tokens, said = encode(model._tokenizer, talk, 1000)
    words = model._tokenizer.convert_ids_to_tokens(tokens)
    marked = [word for word, learned in zip(words, said, strict=True) if learned]
    assert marked == "go to the sink end open the fridge end".split()
    assert len(encode(model._tokenizer, talk, 9).tokens) == 9
