"""Pretraining of the encoder goes on where it stopped; what is shipped is what its card says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from langrearrange_baselines.vision import card, load_encoder
from langrearrange_baselines.vision.loading import (
    WEIGHTS,
    random_network,
    read_network,
    write_network,
)
from langrearrange_baselines.vision.metrics import measure
from langrearrange_baselines.vision.pretrain import PretrainArgs, _Run, loss_of, main, schedule
from langrearrange_baselines.vision.scenes import AS_FOUND, SceneStream
from langrearrange_baselines.vision.segcnn import SegCnn, SegCnnEncoder
from test_baselines_vision import TINY, noise, tiny_encoder

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.world.vocabulary import (
    NUM_CATEGORIES,
)

# -- pretraining -------------------------------------------------------------------------------


def tiny_args(out: Path, **changes: object) -> PretrainArgs:
    defaults: dict[str, object] = {
        "out": out, "num_pictures": 48, "batch_size": 8, "input_size": 64,
        "widths": (8, 8, 16, 16), "measure_pictures": 32, "precision": "float32", "save_every": 2,
    }  # fmt: skip
    return PretrainArgs(**defaults | changes)  # type: ignore[arg-type]


def test_the_loss_falls_on_a_batch_that_is_learned_by_heart() -> None:
    rgb, labels = SceneStream("train", 0, batch_size=8, image_size=64).batch()
    pictures = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
    network: SegCnn = random_network(TINY)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        loss = loss_of(network(pictures), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


def test_pretraining_writes_weights_and_what_they_see(tmp_path: Path) -> None:
    facts = main(tiny_args(tmp_path / "net.safetensors"))
    assert facts["pictures_seen"] == 48
    assert set(facts["validation"]) >= {"recall", "precision", "held", "categories"}
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]
    assert read_network(tmp_path / "net.safetensors")[1] == facts


def test_weights_can_be_trained_on_with_an_emphasis(tmp_path: Path) -> None:
    first = tmp_path / "first.safetensors"
    facts = main(tiny_args(first, widths=(8, 8, 16, 24)))
    again = tiny_args(
        tmp_path / "second.safetensors", init=first, emphasise=("wrench",), seed=1,
        learning_rate=1e-9,
    )  # fmt: skip
    told = main(again)
    assert told["before"] == facts
    assert told["args"]["widths"] == [8, 8, 16, 24]
    assert told["args"]["emphasise"] == ["wrench"]
    # Both are measured on the same pictures, whatever the seed of what they learned from.
    seen = [row["seen"] for row in facts["validation"]["categories"].values()]
    assert seen == [row["seen"] for row in told["validation"]["categories"].values()]
    start, end = read_network(first)[0], read_network(again.out)[0]
    for old, new in zip(start.parameters(), end.parameters(), strict=True):
        torch.testing.assert_close(old, new, atol=1e-4, rtol=0)


def test_a_run_that_was_cut_off_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = _Run(tiny_args(tmp_path / "whole.safetensors"), random_network(TINY))
    whole.train()
    args = tiny_args(tmp_path / "cut.safetensors")
    cut = _Run(args, random_network(TINY))
    cut._done = lambda: cut.step / 6 if cut.step < 4 else 1.0  # type: ignore[method-assign]
    cut.train()
    resumed = _Run(args, random_network(TINY, 9))
    assert resumed.step == 4
    resumed.train()
    states = zip(
        whole.network.state_dict().values(), resumed.network.state_dict().values(), strict=True
    )
    assert all(torch.equal(a, b) for a, b in states)


def test_the_learning_rate_rises_once_and_ends_at_zero() -> None:
    rates = [schedule(done / 100) for done in range(101)]
    assert max(rates) <= 1.05
    assert rates[0] < 0.1
    assert rates[-1] == pytest.approx(0)
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_a_measurement_has_shares_of_every_category() -> None:
    scenes = SceneStream("validation", 0, batch_size=8, image_size=64, mixture=AS_FOUND)
    measured = measure(tiny_encoder(), scenes, 2)
    assert measured["num_pictures"] == 16
    recall, precision = measured["recall"], measured["precision"]
    assert 0 <= recall <= 1
    assert 0 <= precision <= 1
    assert len(measured["categories"]) == NUM_CATEGORIES


# -- the shipped encoder -----------------------------------------------------------------------


def test_the_shipped_weights_are_small_and_see_what_stands_here() -> None:
    assert WEIGHTS.stat().st_size <= 5_000_000
    encoder = load_encoder("segcnn")
    assert isinstance(encoder, SegCnnEncoder)
    scenes = SceneStream("validation", 7, batch_size=32, mixture=AS_FOUND)
    measured = measure(encoder, scenes, 2)
    recall, precision = measured["recall"], measured["precision"]
    assert recall > 0.9
    assert precision > 0.9


def test_the_card_in_the_docs_is_that_of_the_shipped_weights() -> None:
    docs = Path(__file__).parents[2] / "docs" / "vision.md"
    assert card.main(card.CardArgs()) in docs.read_text(encoding="utf-8")


def test_a_card_can_be_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    write_network(tiny_encoder().network, file, {})
    told = card.main(card.CardArgs(weights=file, measure=32))
    assert told.startswith("Over 32 images: recall ")
    assert told.count("\n| ") == NUM_CATEGORIES + 1


def test_features_are_the_same_bits_whatever_is_encoded_together() -> None:
    encoder = load_encoder("segcnn")
    pictures = noise(18, size=256)
    together = encoder.encode(pictures)
    for size in (1, 3, 17):
        parts = [encoder.encode(part) for part in torch.split(pictures, size)]
        assert torch.equal(torch.cat(parts), together), size
