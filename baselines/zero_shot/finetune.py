"""`python -m langrearrange_baselines.zero_shot.finetune`: imitation through the language head.

A chat model with low-rank updates learns the assistant's messages of `export --format chat`. What
is written is a plain Hugging Face folder with the updates merged, which `--local` plays.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from langrearrange.errors import DatasetError, UsageError
from langrearrange.log import get_logger

from ..command import check_new, run_module, stop_signals
from ..llarp.lora import LoraLinear, add_lora
from .local import load_chat_model

logger = get_logger("langrearrange.zero_shot")
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, kw_only=True)
class FinetuneArgs:
    """Fine-tune a chat model on exported conversations with LoRA.

    langrearrange export train_mini --format chat --out out/chat.jsonl
    python -m langrearrange_baselines.zero_shot.finetune --data out/chat.jsonl --out out/tuned
    """

    data: Path
    """JSON lines with `messages`, written by `export --format chat`"""
    out: Path
    """folder for the tuned model and metrics.jsonl"""
    local: str = "smollm2"
    """smollm2 or the folder of a Hugging Face model"""
    num_steps: int = 200
    """updates"""
    batch: int = 8
    """conversations an update"""
    lr: float = 2e-4
    """of AdamW, after a linear rise over the first tenth"""
    rank: int = 16
    """of the updates"""
    alpha: float = 32.0
    """scale of the updates, times rank"""
    max_tokens: int = 2048
    """of a conversation; what is behind is not learned"""
    seed: int = 0
    """of updates and order"""
    device: str = "cpu"
    """cpu, cuda, ..."""
    threads: int = 1
    """of torch on the CPU"""

    def __post_init__(self) -> None:
        for name in ("num_steps", "batch", "rank", "max_tokens", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)}; accepted: 1 or more")


class Example(NamedTuple):
    """A conversation's tokens, and which of them the model is to say."""

    tokens: list[int]
    said: list[bool]


def run(args: FinetuneArgs) -> Path:
    """Train, write the merged model, return its folder."""
    check_new(args.out, resume=False, exists=(args.out / "config.json").exists())
    torch.set_num_threads(args.threads)
    tokenizer, model = load_chat_model(args.local)
    examples = [encode(tokenizer, line["messages"], args.max_tokens) for line in _read(args.data)]
    model.requires_grad_(False)
    add_lora(model, args.rank, args.alpha, args.seed, TARGETS)
    model.to(args.device).train()
    args.out.mkdir(parents=True, exist_ok=True)
    with stop_signals("step") as stopped, (args.out / "metrics.jsonl").open("w") as metrics:
        for line in train(model, examples, args):
            metrics.write(json.dumps(line) + "\n")
            metrics.flush()
            logger.info("step %(step)d: loss %(loss).3f", line)
            if stopped():
                break
    merge(model)
    model.eval().save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    return args.out


def train(
    model: Any, examples: Sequence[Example], args: FinetuneArgs
) -> Iterator[dict[str, float]]:
    """Update the model step by step; yield step, loss a token, tokens and seconds of each."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=args.lr, weight_decay=0.0)
    order = _order(len(examples), args.seed)
    for step in range(1, args.num_steps + 1):
        began = time.perf_counter()
        batch = [examples[next(order)] for _ in range(args.batch)]
        num_said = sum(sum(example.said) for example in batch)
        total = 0.0
        for example in batch:
            loss = loss_of(model, example) / num_said
            loss.backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(weights, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = args.lr * min(1.0, 10 * step / args.num_steps)
        optimizer.step()
        optimizer.zero_grad()
        tokens = sum(len(example.tokens) for example in batch)
        seconds = round(time.perf_counter() - began, 2)
        yield {"step": step, "loss": total, "tokens": tokens, "seconds": seconds}


def loss_of(model: Any, example: Example) -> Tensor:
    """Return the sum of the negative log-likelihoods of what is said, a scalar."""
    device = next(model.parameters()).device
    ids = torch.tensor([example.tokens], device=device)
    said = torch.tensor(example.said, device=device)
    hidden = model.base_model(ids[:, :-1], use_cache=False).last_hidden_state[0]
    logits = model.get_output_embeddings()(hidden[said[1:]]).float()
    return functional.cross_entropy(logits, ids[0, 1:][said[1:]], reduction="sum")


def encode(tokenizer: Any, messages: Sequence[dict[str, str]], max_tokens: int) -> Example:
    """Return the tokens of a conversation; what the assistant says, its end included, is marked.

    Raises:
        DatasetError: the chat template does not write a conversation as a beginning of a longer
            one.
    """
    text, spans = "", []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _template(tokenizer, messages[:index], add_generation_prompt=True)
        after = _template(tokenizer, messages[: index + 1])
        if not (before.startswith(text) and after.startswith(before)):
            raise DatasetError("the chat template rewrites earlier turns; use another model")
        end = after.rfind(tokenizer.eos_token, len(before))
        spans.append((len(before), len(after) if end < 0 else end + len(tokenizer.eos_token)))
        text = after
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    said = [any(a <= start < b for a, b in spans) for start, _ in coded["offset_mapping"]]
    return Example(list(coded["input_ids"])[:max_tokens], said[:max_tokens])


def merge(model: nn.Module) -> None:
    """Add every low-rank update to the weights of its layer and put the layer back."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoraLinear):
                update = child.scale * (child.lora_up @ child.lora_down)
                child.base.weight.data += update.detach().to(child.base.weight.dtype)
                setattr(parent, name, child.base)


def _template(tokenizer: Any, messages: Sequence[dict[str, str]], **options: Any) -> str:
    return str(tokenizer.apply_chat_template(list(messages), tokenize=False, **options))


def _order(number: int, seed: int) -> Iterator[int]:
    """Yield positions without end, all of them before any comes again."""
    for epoch in count():
        positions = list(range(number))
        random.Random(f"{seed} {epoch}").shuffle(positions)
        yield from positions


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{path}: not readable as JSON lines ({error}); write it with export --format chat"
        ) from None
    if not lines or not all(isinstance(line, dict) and line.get("messages") for line in lines):
        raise DatasetError(f"{path}: no conversations; write it with export --format chat")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_module("zero_shot.finetune", FinetuneArgs, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
