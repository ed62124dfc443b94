"""A folder for the Hugging Face hub: card, parquet files and Croissant metadata that load."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent.parent / "dataset"))

from dataset_samples import sample_episode

from langrearrange.dataset import Episode, EpisodeList, Selection, select
from langrearrange.errors import UsageError
from langrearrange.export.huggingface import FIELDS, PUBLISHED, HuggingFaceExporter
from langrearrange.generator import open_split


def selections() -> list[Selection]:
    return [select(open_split("context"), 3), select(open_split("new_scenes"), 2)]


def test_the_folder_has_files_card_and_metadata(tmp_path: Path) -> None:
    written = HuggingFaceExporter().write(selections(), tmp_path / "hub")
    assert written == ((tmp_path / "hub",), "5 episodes in 2 splits")
    _, front, card = (tmp_path / "hub" / "README.md").read_text().split("---\n", 2)
    facts = yaml.safe_load(front)
    files = facts["configs"][0]["data_files"]
    assert [one["split"] for one in files] == ["context", "new_scenes"]
    assert all((tmp_path / "hub" / one["path"]).is_file() for one in files)
    assert facts["size_categories"] == ["n<1K"]
    assert card.lstrip().startswith("# Datasheet")
    assert set(FIELDS) | {"schema_version", "objects", "start"} == set(Episode.__struct_fields__)
    with pytest.raises(UsageError, match="--force"):
        HuggingFaceExporter().write(selections(), tmp_path / "hub")


def test_a_split_given_twice_is_refused(tmp_path: Path) -> None:
    source = EpisodeList([sample_episode(index) for index in range(2)])
    with pytest.raises(UsageError, match="each split once"):
        HuggingFaceExporter().write([select(source), select(source)], tmp_path / "hub")


@pytest.mark.filterwarnings("ignore")
def test_mlcroissant_accepts_the_metadata_and_reads_the_records(tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    HuggingFaceExporter().write(selections(), tmp_path / "hub")
    dataset = mlcroissant.Dataset(tmp_path / "hub" / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    [first, *_] = records = list(dataset.records("context"))
    episode = open_split("context").get(0)
    assert len(records) == 3
    assert first["context/instruction"].decode() == episode.instruction
    assert tuple(skill.decode() for skill in first["context/plan"]) == episode.plan
    stored = json.loads((tmp_path / "hub" / "croissant.json").read_text())
    root = Path(__file__).resolve().parents[2]
    assert f"date-released: {stored['datePublished']}" in (root / "CITATION.cff").read_text()
    assert stored["datePublished"] == PUBLISHED
    assert stored["rai:dataCollectionType"] == "Synthetic"
