"""A written split reads back byte for byte, lazily, and every damage is named."""

from __future__ import annotations

import errno
import gzip
import json
import pickle
import sys
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dataset_samples import sample_episode

from langrearrange.dataset import (
    Dataset,
    DatasetWriter,
    Episode,
    EpisodeList,
    EpisodeOrder,
    EpisodeSource,
    encode_episode,
    open_dataset,
    select,
    write_dataset,
)
from langrearrange.dataset.writer import disk_errors
from langrearrange.errors import DatasetError, EpisodeError, LangRearrangeError, UsageError
from langrearrange.generator import check_dataset, open_split


def episodes(count: int = 70) -> list[Episode]:
    return [sample_episode(i, "find" if i % 3 else "put") for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "set", episodes(), "mine")
    return tmp_path / "set"


def edit_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_written_is_read(folder: Path) -> None:
    data = open_dataset(folder)
    assert isinstance(data, EpisodeSource)
    assert len(data) == 70
    assert data.split == "mine"
    assert set(data.ids) == {e.id for e in episodes()}
    assert {e.id: e for e in data} == {e.id: e for e in episodes()}
    assert data["train/000069#3"] == data[data.index_of("train/000069")]
    assert [data.template_at(i) for i in (0, 23, 24, 69)] == ["put", "put", "find", "find"]
    assert data.template_ranges == {"put": range(24), "find": range(24, 70)}


def test_content_hash_is_of_the_uncompressed_lines(folder: Path) -> None:
    data = open_dataset(folder)
    assert data.content_sha256() == data.manifest.content_sha256
    raw = gzip.decompress((folder / "mine.jsonl.gz").read_bytes())
    assert raw == b"".join(map(encode_episode, data))


def test_members_hold_32_and_carry_no_clock(folder: Path) -> None:
    assert len(open_dataset(folder).manifest.members) == 3
    assert (folder / "mine.jsonl.gz").read_bytes()[4:8] == bytes(4)


def test_regular_ids_need_no_list(tmp_path: Path) -> None:
    order = EpisodeOrder({"put": 5, "find": 40})
    regular = [
        sample_episode(order.index_at(i), order.template_of(i)) for i in range(order.num_episodes)
    ]
    manifest = write_dataset(tmp_path / "set", regular)
    assert manifest.ids is None
    data = open_dataset(tmp_path / "set")
    assert list(data) == regular
    assert [data.index_of(e.id) for e in regular] == list(range(45))


def test_data_set_survives_pickling(folder: Path) -> None:
    data = open_dataset(folder)
    assert pickle.loads(pickle.dumps(data))[5] == data[5]  # noqa: S301


def test_finished_set_is_not_overwritten_unasked(folder: Path) -> None:
    with pytest.raises(UsageError, match="already holds"):
        write_dataset(folder, episodes(3), "mine")
    assert write_dataset(folder, episodes(3), "mine", overwrite=True).num_episodes == 3


def test_failed_write_leaves_no_manifest_and_no_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(EpisodeError, match="printable"):
        write_dataset(tmp_path / "a", [sample_episode(instruction="\n")])
    writer = DatasetWriter(tmp_path / "b", "mine", EpisodeOrder({"put": 1}))
    with pytest.raises(zlib.error, match="truncated"), writer:
        writer.add(gzip.compress(b"line")[:-4])
    assert list((tmp_path / "b").iterdir()) == []


def test_opening_is_lazy(tmp_path: Path) -> None:
    data = write_big_manifest(tmp_path)
    started = time.process_time()
    opened = open_dataset(data)
    assert opened.id_at(149_999)
    assert time.process_time() - started < 0.1


def write_big_manifest(folder: Path) -> Path:
    members = [7] * 4_688
    (folder / "big.jsonl.gz").write_bytes(b"damaged" * 4_688)
    manifest = {
        "schema_version": 2, "split": "big", "id_split": "train", "written_by": "0",
        "content_sha256": "0" * 64, "num_episodes": 150_000,
        "templates": {"a": 100_000, "b": 50_000}, "file": "big.jsonl.gz",
        "num_bytes": 7 * 4_688, "members": members,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_damaged_member_is_named_and_the_rest_still_reads(folder: Path) -> None:
    path = folder / "mine.jsonl.gz"
    sizes = open_dataset(folder).manifest.members
    data = bytearray(path.read_bytes())
    data[sizes[0] + sizes[1] // 2] ^= 1
    path.write_bytes(data)
    opened = open_dataset(folder)
    assert opened[31].id
    assert opened[64].id
    with pytest.raises(DatasetError, match=r"mine.jsonl.gz: lines 33 to 64 \(bytes \d+ to \d+\)"):
        opened[40]


def test_every_flipped_byte_is_caught_or_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_dataset(folder, episodes(4), "mine")
    path = folder / "mine.jsonl.gz"
    data, lines = path.read_bytes(), list(open_dataset(folder).lines())
    caught = 0
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        try:
            assert list(open_dataset(folder).lines()) == lines
        except DatasetError as error:
            caught += "damaged" in str(error)
    assert caught > len(data) - 12  # clock and system in the header, padding at the end


def test_torn_file_is_refused_at_once(folder: Path) -> None:
    path = folder / "mine.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DatasetError, match="truncated"):
        open_dataset(folder)


def test_newer_manifest_names_the_release_that_reads_it(folder: Path) -> None:
    edit_manifest(folder, schema_version=3, written_by="0.9.0", weather="rain")
    with pytest.raises(DatasetError, match=r"schema version 3.*langrearrange >= 0\.9\.0"):
        open_dataset(folder)


def test_older_manifest_says_to_generate_the_set_again(folder: Path) -> None:
    edit_manifest(folder, schema_version=1, generator_version="0")
    with pytest.raises(
        DatasetError, match=r"schema version 1.* reads version 2; generate it again"
    ):
        open_dataset(folder)


def test_contradicting_or_damaged_manifest_is_refused(folder: Path) -> None:
    edit_manifest(folder, num_episodes=71)
    with pytest.raises(DatasetError, match="contradicts itself"):
        open_dataset(folder)
    (folder / "manifest.json").write_bytes(b"{")
    with pytest.raises(DatasetError, match="not a manifest"):
        open_dataset(folder)


def test_swapped_lines_are_noticed(folder: Path) -> None:
    edit_manifest(folder, ids=[f"train/{i:06d}" for i in range(70)])
    with pytest.raises(
        DatasetError, match=r"line 2 \(train/000001\): holds episode 'train/000003'"
    ):
        open_dataset(folder)[1]


def one_member(folder: Path, content: bytes, junk: bytes = b"") -> None:
    """Make the data file one gzip member, and the manifest agree as far as it can."""
    data = gzip.compress(content, mtime=0) + junk
    (folder / "mine.jsonl.gz").write_bytes(data)
    edit_manifest(
        folder, num_episodes=1, templates={"put": 1}, ids=None, num_bytes=len(data),
        members=[len(data)], id_split="train",
    )  # fmt: skip


def test_nothing_unfolds_to_more_than_episodes_can_have(folder: Path) -> None:
    one_member(folder, bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(DatasetError, match=r"line.*decompresses to more than 1048576 bytes"):
        open_dataset(folder).get(0)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
    one_member(folder, b"{" + b" " * (1 << 15) + b"}\n")
    with pytest.raises(
        EpisodeError, match=r"line 1 .*32771 bytes of JSON; accepted: at most 32768"
    ):
        open_dataset(folder).get(0)
    with pytest.raises(EpisodeError, match="bytes of JSON"):
        encode_episode(sample_episode(goal=" " * (1 << 15)))


def test_a_set_that_declares_too_much_is_refused_before_it_is_decompressed(folder: Path) -> None:
    member = gzip.compress((b"{}" + b" " * 32_000 + b"\n") * 32, mtime=0)
    count = 4_300  # 4.3 MB that would unfold to 4.4 GB
    (folder / "mine.jsonl.gz").write_bytes(member * count)
    edit_manifest(
        folder, num_episodes=32 * count, templates={"put": 32 * count}, ids=None,
        num_bytes=len(member) * count, members=[len(member)] * count,
    )  # fmt: skip
    started = time.process_time()
    (found,) = check_dataset(folder).findings
    assert "uncompressed; accepted: at most 4294967296; restore" in found.message
    assert time.process_time() - started < 1
    with pytest.raises(DatasetError, match=f"declares {32_003 * 32 * count} bytes uncompressed"):
        next(open_dataset(folder).lines())


def test_chosen_episodes_are_the_first_of_each_template_in_turn() -> None:
    split = open_split("validation")
    for count in (1, 9, 50, 200, 201):
        first = {f"validation/{index:06d}" for index in range(min(count, 200))}
        assert set(select(split, count).ids) == first
    assert select(split, 50).ids == sorted(select(split, 50).ids, key=split.index_of)
    phrasings = {(e.template, e.phrasing) for e in select(open_split("train"), 50)}
    assert len(phrasings) == 50, "no phrasing is drawn again and again"
    mine = select(EpisodeList(episodes()), 5)  # 24 of put come first, then 46 of find
    assert mine.ids == [f"train/{i:06d}" for i in (0, 3, 6, 1, 2)]


@pytest.mark.parametrize("junk", [b"x", bytes(9), gzip.compress(b"", mtime=0)])
def test_a_member_is_one_gzip_member_to_the_byte(folder: Path, junk: bytes) -> None:
    line = encode_episode(sample_episode())
    one_member(folder, line)
    assert open_dataset(folder).get(0) == sample_episode()
    one_member(folder, line, junk)
    with pytest.raises(DatasetError, match="bytes are one gzip member"):
        open_dataset(folder).get(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "mine\0.jsonl.gz"}, {"file": "other.jsonl.gz"}, {"split": "../up"},
        {"split": "m" * 400}, {"written_by": "\x1b[31m"}, {"content_sha256": "x"},
        {"commitment": "x"}, {"members": [-5, 10]}, {"members": [1 << 40]}, {"num_episodes": 0},
        {"templates": {"a": -1, "b": 71}}, {"templates": {"a": 10**30}}, {"provenance": []},
        {"templates": {"a": 70} | {f"b{i}": 0 for i in range(10_001)}},
    ],
)  # fmt: skip
def test_a_manifest_of_impossible_values_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    edit_manifest(folder, **changes)
    with pytest.raises(DatasetError):
        open_dataset(folder)


def test_a_manifest_is_of_bounded_size_and_depth(folder: Path, tmp_path: Path) -> None:
    path = folder / "manifest.json"
    path.write_bytes(b'{"provenance": {"spec": ' + b'{"a": ' * 100_000)
    with pytest.raises(DatasetError, match="not a manifest"):
        open_dataset(folder)
    path.write_bytes(b"[" + b"1," * (5 << 20))
    with pytest.raises(DatasetError, match="the manifest is larger than 8 MiB"):
        open_dataset(folder)
    with pytest.raises(UsageError, match="invalid name of a set"):
        write_dataset(tmp_path / "b", episodes(3), "no/name")


def test_missing_things_say_what_to_do(folder: Path, tmp_path: Path) -> None:
    (folder / "mine.jsonl.gz").rename(folder / "other")
    with pytest.raises(DatasetError, match=r"has a manifest but not mine\.jsonl\.gz"):
        open_dataset(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(DatasetError, match="run the same command again"):
        open_dataset(folder)
    with pytest.raises(DatasetError, match="folder not found"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="this is a file"):
        open_dataset(folder / "other")


def test_unknown_ids_positions_and_variants_are_refused(folder: Path) -> None:
    data = open_dataset(folder)
    for text in ("train/000070", "validation/000001"):
        with pytest.raises(DatasetError, match="has no episode"):
            data.index_of(text)
    with pytest.raises(IndexError):
        data[70]
    with pytest.raises(DatasetError, match="variants=0"):
        data.get(0, variant=1)


def test_list_of_episodes_is_a_source() -> None:
    source = EpisodeList(episodes(6))
    assert isinstance(source, EpisodeSource)
    assert source.template_ranges == {"put": range(2), "find": range(2, 6)}
    assert source[source.index_of("train/000004")].id == "train/000004"
    with pytest.raises(DatasetError, match="at least one"):
        EpisodeList([])
    with pytest.raises(DatasetError, match="same id"):
        EpisodeList([sample_episode(), sample_episode()])


def test_full_disk_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"disk is full.*run the same command again"):
        with disk_errors(tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(LangRearrangeError, match="Permission denied"), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_open_dataset_is_the_class(folder: Path) -> None:
    assert type(open_dataset(str(folder))) is Dataset
