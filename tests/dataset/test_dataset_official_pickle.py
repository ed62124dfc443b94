"""A pickle is read as data: arrays and plain values come back, nothing else is built or run."""

from __future__ import annotations

import collections
import contextlib
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from official_samples import Builder, Calls, touches

from langrearrange.dataset.official import Array, open_official, read_pickle, translate
from langrearrange.errors import DatasetError, EpisodeError, GoalError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False)
    | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4)
    | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text(max_size=4) | st.integers(0, 9), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
VALID = pickle.dumps(Builder().add().add().data, protocol=4)


@given(PLAIN, st.sampled_from([3, 4, 5]))
def test_plain_data_come_back_as_they_were(value: object, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol), "file") == value


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int64).reshape(3, 2),
        np.linspace(0, 1, 32, dtype=np.float32).reshape(2, 4, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 4, 4), np.float32),
    ],
)
@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_number_arrays_come_back_under_numpys_old_and_new_module_name(
    array: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int64], module: bytes
) -> None:
    stored = pickle.dumps([array], protocol=3)
    for name in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        stored = stored.replace(b"c" + name + b"\n", b"c" + module + b"\n")
    assert module in stored
    found = read_pickle(stored, "file")
    assert isinstance(found, list)
    (read,) = found
    assert isinstance(read, Array)
    assert read.values.dtype == array.dtype
    assert np.array_equal(read.values, array)
    assert not read.values.flags.writeable


def test_shared_values_stay_shared() -> None:
    inner = ["a"]
    found = read_pickle(pickle.dumps([inner, inner], 4), "file")
    assert isinstance(found, list)
    assert found[0] is found[1]


@pytest.mark.parametrize("protocol", range(6))
def test_a_call_is_refused_and_never_made(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    stored = pickle.dumps({"all_eps": [touches(trace)]}, protocol)
    with pytest.raises(DatasetError, match="Nothing was executed") as refused:
        read_pickle(stored, "bad.pickle")
    assert "\n" not in str(refused.value)
    assert not trace.exists()


def test_a_call_within_a_well_formed_file_is_refused_before_it_is_made(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = Builder().add(info=touches(trace)).write(tmp_path)
    with pytest.raises(DatasetError, match=rf"context\.pickle.*'{os.name}', 'system'"):
        open_official(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "value",
    [
        Calls(eval, "1 + 1"),
        Calls(np.ndarray, (10**9,)),
        Calls(np.dtype, "O", False, True),
        Calls(np.fromfile, "file"),
        Calls(bytearray, 10**9),
        collections.OrderedDict(a=1),
        {1, 2},
        frozenset({1}),
        bytearray(b"abc"),
        np.int64(3),
        np.array(["text"]),
        np.array([None]),
        np.array([1, 2], dtype=">i8"),
        np.zeros(3, dtype=[("a", "<f4")]),
        2**80,
        {("a", "b"): 1},
        1j,
        str.upper,
        Builder,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_data_is_refused(value: object) -> None:
    with pytest.raises(DatasetError, match=r"refused at byte \d+: "):
        read_pickle(pickle.dumps(value, protocol=4), "file")


def opcodes(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
DTYPE_F4 = b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R"
EMPTY = RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R"


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (opcodes(b"P42\n"), "PERSID"),
        (opcodes(b"K\x01Q"), "BINPERSID"),
        (opcodes(b"\x82\x01"), "EXT1"),
        (opcodes(b"\x84\x01\x00\x00\x00"), "EXT4"),
        (opcodes(b"\x97"), "NEXT_BUFFER"),
        (opcodes(b"\x96", struct.pack("<Q", 3), b"abc"), "BYTEARRAY8"),
        (opcodes(b"(ios\nsystem\n"), "INST"),
        (opcodes(b"(cos\nsystem\no"), "'os', 'system'"),
        (opcodes(b"cnumpy\nndarray\n)\x81"), "NEWOBJ"),
        (opcodes(b"cnumpy\nload\n"), "'numpy', 'load'"),
        (opcodes(b"cnumpy.core.multiarray\nndarray\n"), "'numpy.core.multiarray', 'ndarray'"),
        (opcodes(b"]K\x01\x93"), "a global without a name"),
        (opcodes(b"N", b")R"), "a call"),
        (opcodes(b"]K\x01b"), "state given to a list"),
        (opcodes(b"}K\x01a"), "items put into a dict"),
        (opcodes(b"cnumpy\ndtype\n", b"X\x01\x00\x00\x00O\x89\x88\x87R"), "something else than"),
        (opcodes(RECONSTRUCT, NDARRAY, b"J\xff\xff\xff\x7f\x85C\x01b\x87R"), "makes no array"),
        (opcodes(RECONSTRUCT, RECONSTRUCT, b"K\x00\x85C\x01b\x87R"), "makes no array"),
        (opcodes(EMPTY, b"K\x01\x85b"), "without shape"),
        (opcodes(EMPTY, b"(K\x01J\xff\xff\xff\x7f\x85", DTYPE_F4, b"\x89C\x00tb"), "larger than"),
        (opcodes(EMPTY, b"(K\x01K\x03\x85", DTYPE_F4, b"\x89C\x04abcdtb"), "does not fit"),
        (opcodes(b"N") + b"N.", "2 bytes follow"),
    ],
)
def test_hostile_opcodes_are_refused_in_one_sentence(stored: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match="refused at byte") as refused:
        read_pickle(stored, "file")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"\n",
        b"no pickle at all",
        b"\x1f\x8b\x08\x00 gzip",
        opcodes(),
        opcodes(b"NN"),
        opcodes(b"(N"),
        opcodes(b"a"),
        opcodes(b"u"),
        opcodes(b"h\x07"),
        opcodes(b"\x8d", struct.pack("<Q", 2**62), b"x"),
        opcodes(b"\x8e", struct.pack("<Q", 2**62), b"x"),
        opcodes(b"}(K\x01u"),
        opcodes(b"X\x02\x00\x00\x00\xff\xff"),
        opcodes(b"\x95", struct.pack("<Q", 2**60), b"("),
    ],
)
def test_torn_files_and_claims_of_room_are_one_sentence(stored: bytes) -> None:
    with pytest.raises(DatasetError, match="truncated or not a pickle"):
        read_pickle(stored, "file")


@pytest.mark.parametrize("length", range(0, len(VALID), 97))
def test_a_file_cut_off_anywhere_is_torn(length: int) -> None:
    with pytest.raises(DatasetError, match="truncated or not a pickle"):
        read_pickle(VALID[:length], "file")


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=6))
def test_a_damaged_file_gives_one_of_our_errors_or_data(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    stored = bytearray(VALID)
    for position, value in changes:
        stored[position] = value
    path = tmp_path_factory.mktemp("damaged") / "context.pickle"
    path.write_bytes(stored)
    try:
        file = open_official(path)
    except DatasetError:
        return
    for number in range(len(file)):
        with contextlib.suppress(EpisodeError, GoalError):
            translate(file.episode(number), f"official_context/{number:06d}")


def test_a_huge_place_in_the_memo_reserves_nothing() -> None:
    assert read_pickle(opcodes(b"]r\xff\xff\xff\x7f"), "file") == []


def test_deep_nesting_is_read_and_freed_without_recursion() -> None:
    assert read_pickle(opcodes(b"]" * 50_000, b"a" * 49_999), "file")


def test_bytes_and_opcodes_are_bounded() -> None:
    with pytest.raises(DatasetError, match=r"5003 bytes; accepted: at most 4096.*--max-mb"):
        read_pickle(opcodes(b"N" * 5000), "file", max_bytes=4096)
    with pytest.raises(DatasetError, match="more than 512 opcodes"):
        read_pickle(opcodes(b"N" * 600), "file", max_bytes=4096)
