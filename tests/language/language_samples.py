"""What the tests of this room share: shipped files, stand-in relations, a small good file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from hypothesis import strategies as st

from langrearrange.language import (
    Grounding,
    Relation,
    Template,
    TemplateFile,
    TextSpace,
    load_split,
)
from langrearrange.language.loader import TEXTS_OF
from langrearrange.language.nodes import Node

NAMES = tuple(dict.fromkeys(TEXTS_OF.values()))
FILES = tuple(load_split(name) for name in NAMES)
TEMPLATES = tuple((file, template) for file in FILES for template in file.templates)
RELATIONS = (
    Relation("left_of", ("sofa",), "tv_stand"),
    Relation("left_of", ("right_counter",), "left_counter"),
    Relation("right_of", ("left_counter",), "sink"),
    Relation("right_of", ("chair",), "black_table"),
    Relation("between", ("fridge", "sink"), "right_counter"),
    Relation("between", ("chair", "brown_table"), "black_table"),
)


@cache
def space_of(template: Template) -> TextSpace:
    return TextSpace(template, RELATIONS)


@st.composite
def texts(draw: st.DrawFn) -> tuple[int, int]:
    """A text of any shipped template: index into TEMPLATES and number within its space."""
    which = draw(st.integers(0, len(TEMPLATES) - 1))
    return which, draw(st.integers(0, len(space_of(TEMPLATES[which][1])) - 1))


def grounding_of(text: tuple[int, int]) -> Grounding:
    return space_of(TEMPLATES[text[0]][1])[text[1]]


def relations_of(template: Template) -> tuple[Relation, ...]:
    return RELATIONS if template.needs_relations else ()


def title(pair: tuple[TemplateFile, Template]) -> str:
    return f"{pair[0].split}-{pair[1].id}"


def node_of(text: str) -> Node:
    """The root of a YAML text, as if it were the file f.yaml."""
    root = yaml.compose(text)
    assert root is not None
    return Node(Path("f.yaml"), root)


SMALL_FILE = """\
schema: 1
split: mine
templates:
  fetch:
    concept: move
    slots:
      object: {kind: object, categories: [apple, scissors]}
      source: {kind: receptacle}
      target: {kind: receptacle, receptacles: surfaces, except: [sink]}
    distinct: [[source, target]]
    start:
      - {place: object, on: source, count: 1}
      - {absent: object, on: target}
    goal: "(exists (?x - {object}) (and (on_top ?x {target}) (hand_free)))"
    phrasings:
      - "Fetch {the object} from {the source} for {the target}."
      - "{in target}, {the object} from {the source} would look nice."
  serve:
    concept: put
    slots:
      purpose: {kind: need, serve: [cup, mug], arguable: [bowl]}
      target: {kind: receptacle}
    goal: |
      (exists (?x - {purpose})
        (and (on_top ?x {target})
             (hand_free)))
    cluster: [purpose]
    phrasings:
      - "The tea is ready. {in target}, I want something to drink it from."
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
