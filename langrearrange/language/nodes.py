"""YAML as positioned nodes: scalars stay text, duplicate keys are refused, errors name the place.

Not for what the words mean. `yaml.load` is not used: it reads `on:` as True, `012` as 10 and lets
duplicate keys pass, and its values have lost their lines.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import yaml

from langrearrange.errors import TemplateError

SCHEMA = "1"
"""Version of the form of template files and lexicon."""
MAX_YAML = 4 << 20
"""Largest file that is read, in bytes; the shipped ones have at most some 30,000."""
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where it is built in: ten times faster, same nodes."""


@dataclass(frozen=True, slots=True)
class Node:
    """A YAML node of one file. Lines and columns are counted from 1."""

    path: Path
    raw: yaml.Node

    @property
    def line(self) -> int:
        """The line on which the node begins."""
        return int(self.raw.start_mark.line) + 1

    @property
    def column(self) -> int:
        """The column at which the node begins."""
        return int(self.raw.start_mark.column) + 1

    def fail(self, message: str, *, shift: int = 0) -> NoReturn:
        """Raise TemplateError `file:line:column: message`; `shift` moves the column right."""
        raise TemplateError(f"{self.path}:{self.line}:{self.column + shift}: {message}")

    def text(self) -> str:
        """Return a scalar as it is written; fails for a list or mapping."""
        if not isinstance(self.raw, yaml.ScalarNode):
            self.fail('expected one word or sentence here; put "quotes" around it if it has braces')
        return str(self.raw.value)

    def line_of_text(self) -> str:
        """Return a scalar that stands on one line of the file."""
        value = self.text()
        if self.raw.end_mark.line != self.raw.start_mark.line:
            self.fail("this text runs over several lines; write it on one line, in double quotes")
        return value

    @property
    def quoted(self) -> bool:
        """Whether the node is a scalar in quotes, and so a text for every reader of YAML."""
        return getattr(self.raw, "style", None) in ("'", '"')

    @property
    def text_column(self) -> int:
        """The column of the scalar's first character, behind its quote."""
        return self.column + self.quoted

    def word(self, accepted: Collection[str], what: str) -> str:
        """Return a scalar that is one of the accepted words."""
        value = self.text()
        if value not in accepted:
            self.fail(f"unknown {what} '{value}'{suggest(value, accepted)}")
        return value

    def integer(self, what: str, low: int, high: int) -> int:
        """Return a decimal integer in [low, high]."""
        value = self.text()
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            self.fail(f"{what} is '{value}'; accepted: a whole number from {low} to {high}")
        return int(value)

    def schema(self) -> None:
        """Check that a `schema:` value is the one that this version reads."""
        if self.text() != SCHEMA:
            self.fail(
                f"its schema is '{self.text()}', this version reads {SCHEMA}; upgrade "
                f"langrearrange or write 'schema: {SCHEMA}'"
            )

    def items(self, what: str) -> list[Node]:
        """Return the items of a non-empty list."""
        if not isinstance(self.raw, yaml.SequenceNode) or not self.raw.value:
            self.fail(f"{what} must be a list with at least one item, such as [a, b]")
        return [Node(self.path, item) for item in self.raw.value]

    def is_list(self) -> bool:
        """Whether the node is a list."""
        return isinstance(self.raw, yaml.SequenceNode)

    def entries(self, what: str) -> dict[str, tuple[Node, Node]]:
        """Return a mapping's entries, name -> (key node, value node); duplicates are refused."""
        if not isinstance(self.raw, yaml.MappingNode):
            self.fail(f"{what} must be a mapping, such as 'name: value' lines")
        found: dict[str, tuple[Node, Node]] = {}
        for raw_key, raw_value in self.raw.value:
            key = Node(self.path, raw_key)
            name = key.text()
            if name in found:
                first = found[name][0].line
                key.fail(f"'{name}' is given twice in {what} (first on line {first}); keep one")
            found[name] = key, Node(self.path, raw_value)
        return found

    def fields(
        self, what: str, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, Node]:
        """Return a mapping's values by key; unknown and missing keys are refused."""
        entries = self.entries(what)
        for name, (key, _) in entries.items():
            if name not in required and name not in optional:
                key.fail(f"unknown key '{name}' in {what}{suggest(name, (*required, *optional))}")
        for name in required:
            if name not in entries:
                self.fail(f"{what} lacks the key '{name}'; add '{name}:' to it")
        return {name: value for name, (_, value) in entries.items()}


def suggest(word: str, accepted: Collection[str], then: str = "") -> str:
    """Return what to put behind a complaint about a word.

    Args:
        word: the word that is not accepted.
        accepted: those that are.
        then: a further sentence.

    Returns:
        `; did you mean 'x'?` or `; accepted: a, b`, and the further sentence.
    """
    close = get_close_matches(word, list(accepted), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else f"; accepted: {', '.join(accepted)}"
    if not then:
        return hint
    return f"{hint} {then}" if close else f"{hint}. {then}"


def stamp(path: Path) -> tuple[int, int]:
    """Return what tells one state of a file from the next: a key for caches; 0, 0 for no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # no such file, or no name of one
        return 0, 0
    return status.st_mtime_ns, status.st_size


def read_yaml(path: Path) -> tuple[Node, bytes]:
    """Read a YAML file.

    Returns:
        Its root node and its bytes.

    Raises:
        TemplateError: the file is missing, empty, larger than `MAX_YAML`, not UTF-8 or not YAML;
            with line and column.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_YAML + 1)
    except (OSError, ValueError) as error:
        raise TemplateError(
            f"{path}: cannot be read ({getattr(error, 'strerror', error)}); give the path of a "
            "template file"
        ) from None
    if len(data) > MAX_YAML:
        raise TemplateError(f"{path}: larger than {MAX_YAML >> 20} MiB; split the file")
    try:
        root = yaml.compose(data.decode("utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8 text"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise TemplateError(
            f"{path}:{place}: not YAML: {error.problem or error.context}; check indentation and "
            'put "double quotes" around sentences and goals'
        ) from None
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise TemplateError(f"{path}:1:1: not YAML: {detail}; use plain printable text") from None
    if root is None:
        raise TemplateError(f"{path}:1:1: the file is empty; begin it with 'schema: 1'")
    return Node(path, root), data
