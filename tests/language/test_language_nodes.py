"""YAML nodes: places counted by hand, limits at their edges, hints for near misses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_samples import node_of as root_of

from langrearrange.errors import TemplateError
from langrearrange.language.nodes import Node, read_yaml, stamp, suggest

TEXT = """\
first: one
second:
  - "quoted"
  - 'single'
  - plain
block: |
  two
  lines
wrapped: "over
  lines"
empty: []
"""


def fields_of(text: str) -> dict[str, Node]:
    return {name: value for name, (_, value) in root_of(text).entries("the file").items()}


def told(node: Node, method: str, *arguments: object) -> str:
    with pytest.raises(TemplateError) as caught:
        getattr(node, method)(*arguments)
    return str(caught.value)


def test_lines_and_columns_are_counted_from_one() -> None:
    fields = fields_of(TEXT)
    assert (fields["first"].line, fields["first"].column) == (1, 8)
    quoted, single, plain = fields["second"].items("x")
    assert [(node.line, node.column) for node in (quoted, single, plain)] == [
        (3, 5), (4, 5), (5, 5),
    ]  # fmt: skip
    # The text begins behind a quote, and at once without one.
    assert [node.text_column for node in (quoted, single, plain)] == [6, 6, 5]
    assert fields["block"].text_column == fields["block"].column == 8


def test_a_mistake_names_file_line_and_shifted_column() -> None:
    node = fields_of(TEXT)["second"].items("x")[1]
    with pytest.raises(TemplateError, match=r"^f\.yaml:4:5: wrong$"):
        node.fail("wrong")
    with pytest.raises(TemplateError, match=r"^f\.yaml:4:9: wrong$"):
        node.fail("wrong", shift=4)


def test_a_text_on_one_line_is_taken_and_one_over_lines_is_not() -> None:
    fields = fields_of(TEXT)
    assert fields["first"].line_of_text() == "one"
    assert fields["wrapped"].text() == "over lines"
    assert "runs over several lines" in told(fields["wrapped"], "line_of_text")
    assert "runs over several lines" in told(fields["block"], "line_of_text")


@given(st.integers(-3, 12))
def test_an_integer_lies_within_its_limits(number: int) -> None:
    node = fields_of(f"n: {number}")["n"]
    if 2 <= number <= 9:
        assert node.integer("the count", 2, 9) == number
    else:
        assert "accepted: a whole number from 2 to 9" in told(node, "integer", "the count", 2, 9)


@pytest.mark.parametrize("text", ["2.0", "0x3", "two", "\u0665", "1_0", "''"])
def test_only_decimal_digits_are_an_integer(text: str) -> None:
    assert "whole number" in told(fields_of(f"n: {text}")["n"], "integer", "the count", 0, 99)


def test_lists_and_mappings_are_not_taken_for_each_other() -> None:
    fields = fields_of(TEXT)
    assert fields["second"].is_list()
    assert not fields["first"].is_list()
    assert "list with at least one item" in told(fields["empty"], "items", "'empty'")
    assert "list with at least one item" in told(fields["first"], "items", "'first'")
    assert "must be a mapping" in told(fields["second"], "entries", "'second'")
    assert "expected one word" in told(fields["second"], "text")


def test_a_duplicate_key_names_both_lines() -> None:
    text = "a: 1\nb: 2\nc: 3\nb: 4\n"
    message = told(root_of(text), "entries", "the file")
    assert message.startswith("f.yaml:4:1: 'b' is given twice in the file (first on line 2)")


def test_fields_are_required_optional_or_unknown() -> None:
    root = root_of("colour: red\nshape: round\n")
    assert list(root.fields("it", ("colour",), ("shape",))) == ["colour", "shape"]
    assert list(root.fields("it", ("shape",), ("colour", "size"))) == ["colour", "shape"]
    assert "f.yaml:2:1: unknown key 'shape' in it" in told(root, "fields", "it", ("colour",))
    assert "it lacks the key 'size'" in told(root, "fields", "it", ("size",), ("colour", "shape"))


def test_a_schema_is_compared_as_text() -> None:
    fields_of("schema: 1")["schema"].schema()
    for other in ("2", "01", "1.0"):
        assert f"schema is '{other}'" in told(fields_of(f"schema: {other}")["schema"], "schema")


def test_a_near_miss_is_suggested_and_a_far_one_lists_all() -> None:
    assert suggest("sofaa", ("sofa", "sink")) == "; did you mean 'sofa'?"
    assert suggest("lamp", ("sofa", "sink")) == "; accepted: sofa, sink"
    assert suggest("sofaa", ("sofa",), "Or add it.") == "; did you mean 'sofa'? Or add it."
    assert suggest("lamp", ("sofa",), "Or add it.") == "; accepted: sofa. Or add it."


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    assert stamp(path) == (0, 0)
    path.write_text("a: 1\n")
    first = stamp(path)
    assert first == (path.stat().st_mtime_ns, 5)
    path.write_text("a: 12\n")
    assert stamp(path) != first


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"a: [1,\n  2\nb: 3\n", "3", "not YAML"),
        (b"a: 1\n b: 2\n", "2", "not YAML"),
        (b"a: \x01\n", "1:1", "use plain printable text"),
        (b"# only a comment\n", "1:1", "the file is empty"),
    ],
)
def test_text_that_is_no_yaml_is_told_with_its_place(
    tmp_path: Path, data: bytes, place: str, words: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    with pytest.raises(TemplateError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}:{place}:")
    assert words in str(caught.value)


def test_bytes_are_returned_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xc3\xa9\n")
    root, data = read_yaml(path)
    assert data == b"a: \xc3\xa9\n"
    assert root.fields("it", ("a",))["a"].text() == "\u00e9"
