"""The words for things and places, from `templates/lexicon.yaml`; not for sentences about them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from langrearrange.language.nodes import Node, read_yaml, stamp
from langrearrange.language.schema import Value
from langrearrange.language.space import relation_key
from langrearrange.paths import templates_path
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES

OBJECT_FORMS: Final = ("", "a", "the", "another", "no", "plural", "two", "both")
"""Forms of an object that tell which: "apple", "an apple", "apples", "both pairs of scissors"..."""
LOOK_FORMS: Final = ("", "a", "the")
"""Forms of a description: "round toy", "a round toy", "the round toy"."""
AGREEMENT_FORMS: Final = ("it", "they", "is", "has", "belongs")
"""Forms that only agree in number: "it"/"them", "it"/"they", "is"/"are"..."""
RECEPTACLE_FORMS: Final = ("", "the", "in", "into", "off")
"""Forms of a receptacle: "fridge", "the fridge", "in the fridge", "out of the fridge"."""
SITUATION_FORMS: Final = ("", "need")
"""Forms of a situation: the sentence that tells it, and "something to ... with"."""
RELATION_FORMS: Final = ("the", "spot", "next", "what")
"""Forms of a place described by its neighbours; see `_relation_forms`."""
FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "object": OBJECT_FORMS + AGREEMENT_FORMS,
    "look": LOOK_FORMS + AGREEMENT_FORMS,
    "receptacle": RECEPTACLE_FORMS,
    "situation": SITUATION_FORMS,
    "relation": RELATION_FORMS,
}
"""Slot kind -> what may stand before the slot's name in braces."""

_SINGULAR: Final = dict(zip(AGREEMENT_FORMS, ("it", "it", "is", "has", "belongs"), strict=True))
_PLURAL: Final = dict(zip(AGREEMENT_FORMS, ("them", "they", "are", "have", "belong"), strict=True))
MAX_TEXT: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """All values by name; equal by identity.

    Attributes:
        objects: category -> value.
        looks: category -> values, one per description.
        receptacles: receptacle -> value.
        relations: every relation that can be said; receptacle and pddl are "".
        data: the file's bytes.
    """

    objects: Mapping[str, Value]
    looks: Mapping[str, tuple[Value, ...]]
    receptacles: Mapping[str, Value]
    relations: tuple[Value, ...]
    data: bytes = field(repr=False)


def load_lexicon(path: Path | None = None) -> Lexicon:
    """Read a lexicon (the shipped one by default); the result is cached until the file changes.

    Raises:
        TemplateError: with file, line and column.
    """
    path = path or templates_path() / "lexicon.yaml"
    return _load(path, stamp(path))


@lru_cache(maxsize=8)
def _load(path: Path, _stamp: tuple[int, int]) -> Lexicon:
    root, data = read_yaml(path)
    fields = root.fields("the lexicon", ("schema", "categories", "receptacles"))
    fields["schema"].schema()
    words = fields["categories"].fields("'categories'", CATEGORIES)
    places = fields["receptacles"].fields("'receptacles'", RECEPTACLES)
    objects: dict[str, Value] = {}
    looks: dict[str, tuple[Value, ...]] = {}
    for category in CATEGORIES:
        node = words[category]
        parts = node.fields(f"the words for '{category}'", ("noun", "plural"), _OPTIONAL)
        objects[category] = _value(category, (category,), (), _object_forms(parts))
        looks[category] = _looks(category, parts["looks"]) if "looks" in parts else ()
    receptacles = {name: _receptacle(name, places[name]) for name in RECEPTACLES}
    return Lexicon(objects, looks, receptacles, tuple(_relations(receptacles)), data)


_OPTIONAL: Final = ("single", "article", "number", "looks")


def _value(
    key: str, categories: tuple[str, ...], avoid: tuple[str, ...], forms: Mapping[str, str]
) -> Value:
    return Value(key, categories[0], categories, "", avoid, categories[0], forms)


def printable(node: Node) -> str:
    """Return a one-line scalar of 1-256 printable ASCII characters, trimmed."""
    text = node.line_of_text()
    for position, letter in enumerate(text):
        if not " " <= letter <= "~":
            node.fail(
                f"{letter!r} is not printable ASCII; use plain letters, ' and -", shift=position
            )
    if not 1 <= len(text) <= MAX_TEXT or text != text.strip() or "  " in text:
        node.fail(f"expected 1-{MAX_TEXT} characters without blanks at the ends or doubled blanks")
    return text


def _object_forms(parts: Mapping[str, Node]) -> dict[str, str]:
    noun, plural = printable(parts["noun"]), printable(parts["plural"])
    single = printable(parts["single"]) if "single" in parts else noun
    number = parts["number"].word(("singular", "plural"), "number") if "number" in parts else ""
    article = parts["article"].word(("a", "an"), "article") if "article" in parts else ""
    return _noun_forms(noun, single, plural, number == "plural", article)


def _noun_forms(
    noun: str, single: str, plural: str, is_plural: bool, article: str
) -> dict[str, str]:
    """All forms of a noun; `single` is what can be counted: "pair of scissors"."""
    head, _, rest = single.partition(" ")
    many = f"{head}s {rest}" if single != noun else plural
    return {
        "": noun,
        "a": f"{article or indefinite(single)} {single}",
        "the": f"the {noun}",
        "another": f"another {single}",
        "no": f"no {noun}",
        "plural": plural,
        "two": f"two {many}",
        "both": f"both {many}",
        **(_PLURAL if is_plural else _SINGULAR),
    }


def indefinite(phrase: str) -> str:
    """Return "a" or "an" by the phrase's first letter; exceptions are listed in the lexicon."""
    return "an" if phrase[0].lower() in "aeiou" else "a"


def _looks(category: str, node: Node) -> tuple[Value, ...]:
    found = []
    for index, item in enumerate(node.items(f"the looks of '{category}'")):
        what = f"a look of '{category}'"
        parts = item.fields(what, ("text",), ("also_fits", "article"))
        text = printable(parts["text"])
        avoid = []
        for other in parts["also_fits"].items("also_fits") if "also_fits" in parts else ():
            name = other.word(CATEGORIES, "category")
            if name == category or name in avoid:
                other.fail(f"'{name}' is the category itself or listed twice; remove it")
            avoid.append(name)
        article = parts["article"].word(("a", "an"), "article") if "article" in parts else ""
        forms = {
            "": text,
            "a": f"{article or indefinite(text)} {text}",
            "the": f"the {text}",
            **_SINGULAR,
        }
        found.append(
            Value(f"{category}/{index}", category, (category,), "", tuple(avoid), category, forms)
        )
    return tuple(found)


_INTO: Final = {"in": ("into", "out of"), "on": ("onto", "off")}


def _receptacle(name: str, node: Node) -> Value:
    parts = node.fields(f"the words for '{name}'", ("noun", "in"))
    noun, inside = printable(parts["noun"]), parts["in"].word(_INTO, "preposition")
    into, off = _INTO[inside]
    forms = {
        "": noun,
        "the": f"the {noun}",
        "in": f"{inside} the {noun}",
        "into": f"{into} the {noun}",
        "off": f"{off} the {noun}",
    }
    return Value(name, name, (), name, (), name, forms)


_BESIDE: Final = {
    "the": "the receptacle to the {} of {}",
    "spot": "the spot immediately to the {} of {}",
    "next": "the next place along the wall to the {} of {}",
    "what": "whatever stands just to the {} of {}",
}
_BETWEEN: Final = {
    "the": "the receptacle between {} and {}",
    "spot": "the spot right between {} and {}",
    "next": "the place along the wall between {} and {}",
    "what": "whatever stands between {} and {}",
}
"""Form of a relation -> what it says of its side and anchor, or of its two anchors."""


def _relations(receptacles: Mapping[str, Value]) -> Iterator[Value]:
    the = {name: value.forms["the"] for name, value in receptacles.items()}
    for side, name in itertools.product(("left", "right"), the):
        yield _relation(f"{side}_of", (name,), _BESIDE, side, the[name])
    for first, second in itertools.combinations(the, 2):
        yield _relation("between", (first, second), _BETWEEN, the[first], the[second])


def _relation(kind: str, anchors: tuple[str, ...], texts: Mapping[str, str], *words: str) -> Value:
    forms = {form: text.format(*words) for form, text in texts.items()}
    return Value(relation_key(kind, anchors), "", (), "", (), kind, forms)
