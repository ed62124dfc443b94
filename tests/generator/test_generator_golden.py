"""Published episodes do not change unnoticed: not with Python, numpy, the machine or an edit."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from langrearrange.dataset import decode_episode, open_dataset, read_manifest
from langrearrange.generator import (
    GeneratedSplit,
    check_dataset,
    generate_split,
    load_spec,
    open_split,
)
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.provenance import changes, provenance_of
from langrearrange.paths import datasets_path
from langrearrange.world.vocabulary import SPLITS

MAKER = Path(__file__).parents[1] / "golden" / "make_generator_episodes.py"
SHIPPED = [name for name in SPLITS if name != "train"]


def test_first_episode_of_every_template_is_as_published() -> None:
    made = runpy.run_path(str(MAKER))
    wanted = made["GOLDEN"].read_bytes().splitlines(keepends=True)
    for number, (line, old) in enumerate(zip(made["golden_lines"](), wanted, strict=True), 1):
        place = f"line {number}"
        assert decode_episode(line, place) == decode_episode(old, place)
        assert line == old


@pytest.mark.parametrize("split", SHIPPED)
def test_shipped_split_is_the_function_s(split: str) -> None:
    data = open_dataset(datasets_path() / split)
    spec = load_spec(split)
    assert data.manifest.provenance == provenance_of(blueprint_of(spec))
    computed = GeneratedSplit(split)
    assert list(data.ids) == [computed.id_at(position) for position in range(len(computed))]
    for position in range(0, len(data), 31):
        assert data.get(position) == computed.get(position)
    assert open_split(split).get(0) == data.get(0)


@pytest.mark.parametrize("split", SHIPPED)
def test_shipped_split_hashes_to_its_manifest(split: str) -> None:
    data = open_dataset(datasets_path() / split)
    assert data.content_sha256() == data.manifest.content_sha256


@pytest.mark.slow
@pytest.mark.parametrize("split", SHIPPED)
def test_shipped_split_passes_its_check(split: str) -> None:
    assert check_dataset(datasets_path() / split).findings == ()


def test_train_ships_its_manifest_and_opens_as_a_function() -> None:
    train = open_split("train")
    assert len(train) == 150_000
    manifest = read_manifest(datasets_path() / "train")
    assert manifest.num_episodes == 150_000
    assert changes(manifest.provenance, blueprint_of(load_spec("train"))) == ""
    assert manifest.templates == {t: len(r) for t, r in train.template_ranges.items()}
    assert manifest.num_bytes <= 64 * 2**20


@pytest.mark.slow
def test_train_reproduces_its_published_hash(tmp_path: Path) -> None:
    published = read_manifest(datasets_path() / "train")
    assert generate_split(load_spec("train"), tmp_path).content_sha256 == published.content_sha256
