"""Mutation testing itself: where mutations are made, how they are counted and what excuses one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import report

SOURCE = """\
from __future__ import annotations
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    LIMIT = 3 + 4

TABLE: dict[str, int | None] = {**{}, "a": 1 << 2}


@lru_cache(maxsize=8)
def count(items: list[int | str], least: int | None = None) -> int | str:
    total = 0
    logger.debug("counting")
    for item, _ in zip(items, items, strict=True):
        total += 1
        TABLE["a"] = 2
        print(item)
    if total is not None and total >= 3:
        return -total
    if least == "a":
        return "b"
    return total
"""


@pytest.fixture(scope="module")
def places() -> Any:
    pytest.importorskip("cosmic_ray")
    from operators import mutations

    return mutations("f.py", SOURCE)


def changed(mutation: Any) -> list[str]:
    """Return the lines that a mutation puts in."""
    mutated = mutation.apply(SOURCE)
    compile(mutated, "f.py", "exec")
    before = SOURCE.split("\n")
    return [line.strip() for line in mutated.split("\n") if line not in before]


def test_every_mutation_changes_its_own_line_only(places: Any) -> None:
    seen = set()
    for mutation in (m for place in places for m in place):
        mutated = mutation.apply(SOURCE)
        differ = [
            number
            for number, (a, b) in enumerate(
                zip(SOURCE.split("\n"), mutated.split("\n"), strict=True), start=1
            )
            if a != b
        ]
        assert differ == [mutation.line], mutation.key
        seen.add(mutated)
        assert len(changed(mutation)) == 1
    assert len(seen) > 20
    keys = [mutation.key for place in places for mutation in place]
    assert len(set(keys)) == len(keys)


def test_nothing_is_mutated_that_does_not_run(places: Any) -> None:
    """Annotations, decorators, TYPE_CHECKING blocks, log calls and the ** of a display."""
    lines = {mutation.line for place in places for mutation in place}
    code = SOURCE.split("\n")
    told = {code[line - 1].strip() for line in lines}
    assert not any(word in line for line in told for word in ("lru_cache", "LIMIT", "logger"))
    replaced = {m.operator.split("_")[1] for place in places for m in place if "_" in m.operator}
    assert "LShift" in replaced
    assert not replaced & {"Pow", "BitOr"}
    turned = {line for place in places for m in place for line in changed(m) if "least" in line}
    assert turned == {'if least != "a":', 'if not least == "a":'}
    assert not any("strict=False" in line for place in places for m in place for line in changed(m))


def test_statements_are_removed_and_comparisons_turned(places: Any) -> None:
    made = {(m.operator, *changed(m)) for place in places for m in place}
    assert ("RemoveStatement", "pass") in made
    removed = [m.line for place in places for m in place if m.operator == "RemoveStatement"]
    assert [SOURCE.split("\n")[line - 1].strip() for line in removed] == [
        "total += 1", 'TABLE["a"] = 2', "print(item)",
    ]  # fmt: skip
    into = {line for _, line in made}
    assert "if total is not None and total > 3:" in into
    assert "if total is None and total >= 3:" in into
    assert "if total is not None or total >= 3:" in into
    assert not any("total is 3" in line or "None >= " in line for line in into)


def test_operators_are_the_usual_ones() -> None:
    pytest.importorskip("cosmic_ray")
    from operators import OPERATORS

    names = {name.partition("_")[2] or name for name in OPERATORS}
    assert {"Add_Sub", "BitOr_BitAnd", "Is_IsNot", "Eq_NotEq", "Lt_LtE", "Lt_GtE"} <= names
    assert {"RemoveStatement", "NumberReplacer", "AddNot", "ReplaceAndWithOr"} <= names
    assert {"ExceptionReplacer", "ZeroIterationForLoop", "Delete_Not"} <= names
    assert not names & {"Add_BitOr", "Add_Pow", "Eq_Is", "Eq_GtE", "RemoveDecorator"}
    assert len(names) == 38


def record(outcome: str, **changes: Any) -> dict[str, Any]:
    fields = {
        "key": "f.py:7 NumberReplacer#3", "room": "world", "outcome": outcome, "num_reaching": 2,
        "text": "x = 1", "diff": ["-x = 1", "+x = 2"],
    }  # fmt: skip
    return fields | changes


@pytest.fixture
def excuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "equivalent.yaml"
    path.write_text("[]\n")
    monkeypatch.setattr(report, "EQUIVALENT", path)
    return path


@pytest.mark.parametrize(("survived", "status"), [(0, 0), (5, 0), (6, 1)])
def test_one_in_twenty_may_survive(
    excuses: Path, capsys: pytest.CaptureFixture[str], survived: int, status: int
) -> None:
    records = [record("detected")] * (100 - survived) + [record("survived")] * survived
    assert report.print_report(records) == status
    out = capsys.readouterr().out
    assert f"{survived / 100:.1%} survived" in out
    assert ("f.py:7: NumberReplacer#3 (2 tests reach it)" in out) == bool(survived)
    (row,) = [line.split() for line in out.split("\n") if line.startswith("world")]
    assert row == ["world", "100", str(100 - survived), "0", "0", str(survived)]


def test_an_equivalent_mutation_is_known_by_file_line_text_and_operator(
    excuses: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = "{file: f.py, line: 'x = 1', operator: NumberReplacer, reason: never read}"
    excuses.write_text(f"- {entry}\n")
    moved = record("survived", key="f.py:99 NumberReplacer#8")
    assert report.print_report([moved, record("timeout")]) == 0
    for other in (
        record("survived", key="g.py:7 NumberReplacer#3"),
        record("survived", text="x = 2"),
        record("survived", key="f.py:7 AddNot#3"),
    ):
        assert report.print_report([other]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"- {{file: f{i}, line: x, operator: y, reason: z}}\n" for i in range(11)),
        "- {file: f, line: x, operator: y, reason: ''}\n",
        "- {file: f, line: x, operator: y, reason: z}\n" * 2,
    ],
)
def test_excuses_are_few_different_and_have_reasons(excuses: Path, text: str) -> None:
    excuses.write_text(text)
    with pytest.raises(SystemExit, match="at most 10 different entries, each with its reason"):
        report.read_equivalent()


def test_every_excuse_is_of_a_line_that_is_still_there() -> None:
    root = Path(__file__).parents[2]
    for path, text, _ in report.read_equivalent():
        lines = (root / path).read_text(encoding="utf-8").split("\n")
        assert text in [line.strip() for line in lines], (path, text)
