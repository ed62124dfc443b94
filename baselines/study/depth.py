"""`python -m langrearrange_baselines.study.depth`: how many layers of a language model to keep.

For each depth it measures what an env step costs, acting and learning, and what a linear probe
reads in the hidden states of sentences with phrasings it was not trained on; of no test split.
"""

import dataclasses
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from langrearrange.generator import GeneratedSplit
from langrearrange.log import get_logger
from langrearrange.seeding import digest
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES

from ..command import run_module
from ..engine.config import check_range, preset
from ..engine.encoder import make_encoder
from ..engine.envs import make_envs
from ..engine.factory import make_policy
from ..engine.trainer import Trainer
from ..lstm.text import TextEncoder, load_text_encoder
from ..tensors import write_json
from .descriptions import DESCRIPTIONS

logger = get_logger(__name__)
TEMPLATES: Final = ("find", "move_from_to", "put", "take_off")
"""Training templates that name one category."""
PENALTIES: Final = (10.0, 100.0, 1000.0, 10000.0)
SUMMARIES: Final = ("last", "mean")
BATCH: Final = 16
_SETTINGS: Final[dict[str, Any]] = {
    "encoder": "percepts",
    "epochs": 1,
    "minibatches": 1,
    "exact_resume": False,
}
"""Of the run whose cost is measured, beside the preset's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthArgs:
    """Measure cost and held-out reading of language models by the number of their layers."""

    backbones: tuple[str, ...] = ("smollm2", "minilm")
    """names or paths; all layers of each are read, and those of --layers that it has"""
    layers: tuple[int, ...] = (6, 10, 20, 30)
    """depths to measure"""
    num_sentences: int = 900
    """of the training templates that name one category"""
    num_envs: int = 32
    """of the run whose cost is measured"""
    num_steps: int = 16
    """of each env in an update; one update is made, the next is measured"""
    out: Path | None = None
    """JSON file for the numbers"""

    def __post_init__(self) -> None:
        check_range(self, 1, "num_envs", "num_steps")
        check_range(self, 60, "num_sentences")


class Sentence(NamedTuple):
    """A sentence, what it names, and which of five parts its phrasing belongs to; 0 is held out."""

    text: str
    category: int
    receptacle: int
    part: int


def training_sentences(count: int) -> list[Sentence]:
    """Return sentences of the training templates, spread over episodes; -1: names none."""
    split = GeneratedSplit("train")
    ranges = [split.template_ranges[name] for name in TEMPLATES]
    found = []
    for number in range(count):
        positions = ranges[number % len(ranges)]
        episode = split[positions[(number // len(ranges)) * 97 % len(positions)]]
        [category] = re.findall(r"- (\w+)\)", episode.goal)
        places = re.findall(r"\(on_top \?x (\w+)\)", episode.goal)
        place = RECEPTACLES.index(places[-1]) if places else -1
        part = digest("depth", episode.template, episode.phrasing)[0] % 5
        found.append(Sentence(episode.instruction, CATEGORIES.index(category), place, part))
    return found


@torch.no_grad()
def summaries(
    text: TextEncoder, sentences: Sequence[str], layers: Sequence[int]
) -> dict[tuple[int, str], Tensor]:
    """Return hidden states after so many layers, of the last token and the mean, (n, width).

    They equal the output of the model with its first layers only: its last norm is applied.
    """
    norm = getattr(text.model, "norm", None)
    rows: dict[tuple[int, str], list[Tensor]] = {(n, s): [] for n in layers for s in SUMMARIES}
    for start in range(0, len(sentences), BATCH):
        ids = [text.token_ids(sentence) for sentence in sentences[start : start + BATCH]]
        longest = max(map(len, ids))
        tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in ids])
        real = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in ids])
        states = text.model(
            input_ids=tokens, attention_mask=real.long(), output_hidden_states=True
        ).hidden_states
        for depth in layers:
            hidden = states[depth]
            if norm is not None and depth < len(states) - 1:
                hidden = norm(hidden)
            rows[depth, "last"] += hidden[torch.arange(len(ids)), real.sum(1) - 1]
            total = (hidden * real[..., None]).sum(1)
            rows[depth, "mean"] += total / real.sum(1, keepdim=True)
    return {key: torch.stack(found) for key, found in rows.items()}


def fit(features: Tensor, labels: Tensor, num_classes: int, penalty: float) -> Any:
    """Return a linear classifier, features -> classes: ridge regression on standardised inputs."""
    mean, spread = features.mean(0), features.std(0).clamp(min=1e-6)
    inputs = ((features - mean) / spread).double()
    targets = torch.nn.functional.one_hot(labels, num_classes).double()
    offset = targets.mean(0)
    gram = inputs @ inputs.T + penalty * torch.eye(len(inputs), dtype=torch.float64)
    weight = inputs.T @ torch.linalg.solve(gram, targets - offset)
    return lambda x: (((x - mean) / spread).double() @ weight + offset).argmax(1)


def probe(features: Tensor, labels: Tensor, parts: Tensor, num_classes: int) -> Any:
    """Return a classifier trained on parts 1 to 4; its penalty is chosen on part 1."""

    def accuracy(penalty: float) -> float:
        train = parts > 1
        read = fit(features[train], labels[train], num_classes, penalty)
        return float((read(features[parts == 1]) == labels[parts == 1]).float().mean())

    train = parts > 0
    return fit(features[train], labels[train], num_classes, max(PENALTIES, key=accuracy))


def readings(text: TextEncoder, layers: Sequence[int], count: int) -> dict[int, dict[str, float]]:
    """Return by depth how often held-out phrasings and descriptions are read right."""
    sentences = training_sentences(count)
    described = [(t, CATEGORIES.index(name)) for name, texts in DESCRIPTIONS for t in texts]
    wholes = [*(s.text for s in sentences), *(f"Find {t}." for t, _ in described)]
    states = summaries(text, wholes, layers)
    parts = torch.tensor([sentence.part for sentence in sentences])
    found: dict[int, dict[str, float]] = {depth: {} for depth in layers}
    for (depth, summary), features in states.items():
        own, other = features[: len(sentences)], features[len(sentences) :]
        for name, number in (("category", len(CATEGORIES)), ("receptacle", len(RECEPTACLES))):
            labels = torch.tensor([getattr(sentence, name) for sentence in sentences])
            known = labels >= 0
            read = probe(own[known], labels[known], parts[known], number)
            held = known & (parts == 0)
            hits = (read(own[held]) == labels[held]).float().mean()
            found[depth][f"{name}_{summary}"] = round(float(hits), 3)
            if name == "category":
                right = read(other) == torch.tensor([label for _, label in described])
                found[depth][f"described_{summary}"] = round(float(right.float().mean()), 3)
    return found


def cost(args: DepthArgs, **settings: Any) -> float:
    """Return CPU milliseconds an env step of PPO on percepts, acting and learning."""
    with tempfile.TemporaryDirectory() as folder:
        config = preset(
            "tiny",
            out=Path(folder),
            num_envs=args.num_envs,
            num_steps=args.num_steps,
            **_SETTINGS | settings,
        )
        encoder = make_encoder(config)
        envs = make_envs(config, encoder.modality)
        trainer = Trainer(config, envs, encoder, make_policy(config, encoder, 70))
        trainer.begin()
        records: list[dict[str, Any]] = []
        trainer.run(2, on_update=records.append)
        envs.close()
    return 1e3 * float(records[1]["cpu_s"]) / (args.num_envs * args.num_steps)


def measure(args: DepthArgs) -> list[dict[str, Any]]:
    """Return a row for each language model and depth."""
    torch.set_num_threads(1)
    rows = []
    for backbone in args.backbones:
        text = load_text_encoder(backbone)
        whole = int(text.model.config.num_hidden_layers)  # type: ignore[union-attr,arg-type]
        depths = sorted({whole, *(n for n in args.layers if n <= whole)})
        read = readings(text, depths, args.num_sentences)
        for depth in depths:
            row = {"backbone": backbone, "layers": depth, "width": text.width}
            row |= {"ms": round(cost(args, backbone=backbone, layers=depth), 2)} | read[depth]
            logger.info("%s", row)
            rows.append(row)
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as Markdown."""
    kinds = [f"{name}, {s}" for name in ("category", "receptacle", "described") for s in SUMMARIES]
    head = ["model", "layers", "ms", *kinds]
    lines = [
        [row["backbone"], str(row["layers"]), f"{row['ms']:.1f}"]
        + [f"{row[kind.replace(', ', '_')]:.2f}" for kind in kinds]
        for row in rows
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * 9, *lines))


def run(args: DepthArgs) -> str:
    """Measure; return the table."""
    rows = measure(args)
    if args.out is not None:
        settings = dataclasses.asdict(args) | {"out": str(args.out)}
        write_json(args.out, {"settings": settings, "rows": rows})
    return table(rows)


if __name__ == "__main__":
    sys.exit(run_module("study.depth", DepthArgs, run))
