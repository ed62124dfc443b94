"""`examples/trl_grpo.py` updates a tiny random model; run by `make test-integrations`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from langrearrange.world import SKILLS

pytest.importorskip("trl")

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")
EXAMPLE = Path(__file__).parents[2] / "examples" / "trl_grpo.py"
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>"


def tiny_model(folder: Path) -> Path:
    """Write a random model over bytes and whole actions; what it generates is one action."""
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    names = [skill.name.replace(" ", "\u0120") for skill in SKILLS]
    words = [*letters, "<pad>", "<eos>", *names]
    actions = list(range(258, len(words)))
    core = tokenizers.Tokenizer(
        tokenizers.models.BPE({word: number for number, word in enumerate(words)}, [])
    )
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<eos>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=8192,
        pad_token_id=256, eos_token_id=257,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    model.generation_config.suppress_tokens = list(range(258))
    model.generation_config.eos_token_id = actions
    model.save_pretrained(folder)
    return folder


def test_grpo_trains_on_episodes_of_several_turns(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model")
    command = [sys.executable, str(EXAMPLE), "--model", str(model), "--updates", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]

    def logged(name: str) -> list[float]:
        return [float(value) for value in re.findall(rf"'{name}': '([^']+)'", done.stdout)]

    assert len(logged("grad_norm")) == 2, done.stdout[-2000:]
    assert max(logged("reward_std")) > 0
    assert max(logged("grad_norm")) > 0
    assert min(logged("completions/min_length")) > 1  # tokens of the model: one a turn
    assert list((tmp_path / "out").rglob("*.safetensors"))
