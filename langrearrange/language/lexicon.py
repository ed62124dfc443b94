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
from langrearrange.world.vocabulary import AREAS, CATEGORIES, GROUPS, RECEPTACLES

OBJECT_FORMS: Final = ("", "a", "the", "another", "no", "plural", "two", "both")
"""Forms of an object that tell which: "apple", "an apple", "apples", "both pairs of scissors"..."""
LOOK_FORMS: Final = ("", "a", "the")
"""Forms of a description: "round toy", "a round toy", "the round toy"."""
AGREEMENT_FORMS: Final = ("it", "they", "is", "has", "belongs")
"""Forms that only agree in number: "it"/"them", "it"/"they", "is"/"are"..."""
RECEPTACLE_FORMS: Final = ("", "the", "in", "into", "off")
"""Forms of a place: "fridge", "the fridge", "in the fridge", "out of the fridge"."""
GROUP_FORMS: Final = ("", "each")
"""Forms of a group: "tools" or "fruit", and behind "every": "tool" or "piece of fruit"."""
RELATION_FORMS: Final = ("the", "beside", "next", "what")
"""Forms of a place described by its neighbours; see `_relation_forms`."""
FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "object": OBJECT_FORMS + AGREEMENT_FORMS,
    "group": GROUP_FORMS + AGREEMENT_FORMS,
    "look": LOOK_FORMS + AGREEMENT_FORMS,
    "need": (),
    "receptacle": RECEPTACLE_FORMS,
    "area": RECEPTACLE_FORMS,
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
        groups: name of a group -> value.
        looks: category -> values, one per description.
        receptacles: receptacle -> value.
        areas: area -> value.
        relations: every relation that can be said; receptacle and pddl are "".
        data: the file's bytes.
    """

    objects: Mapping[str, Value]
    groups: Mapping[str, Value]
    looks: Mapping[str, tuple[Value, ...]]
    receptacles: Mapping[str, Value]
    areas: Mapping[str, Value]
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
    names = ("schema", "categories", "groups", "receptacles", "areas")
    fields = root.fields("the lexicon", names)
    fields["schema"].schema()
    words = fields["categories"].fields("'categories'", CATEGORIES)
    places = fields["receptacles"].fields("'receptacles'", RECEPTACLES)
    areas = fields["areas"].fields("'areas'", tuple(AREAS))
    groups = fields["groups"].entries("'groups'")
    objects: dict[str, Value] = {}
    looks: dict[str, tuple[Value, ...]] = {}
    for category in CATEGORIES:
        node = words[category]
        parts = node.fields(f"the words for '{category}'", ("noun", "plural"), _OPTIONAL)
        objects[category] = objects_value(category, (category,), (), _object_forms(parts))
        looks[category] = _looks(category, parts["looks"]) if "looks" in parts else ()
    receptacles = {name: _place(name, places[name]) for name in RECEPTACLES}
    return Lexicon(
        objects,
        {name: _group(name, node) for name, (_, node) in groups.items()},
        looks,
        receptacles,
        {name: _place(name, areas[name]) for name in AREAS},
        tuple(_relations(receptacles)),
        data,
    )


_OPTIONAL: Final = ("single", "article", "number", "looks")


def objects_value(
    key: str, categories: tuple[str, ...], avoid: tuple[str, ...], forms: Mapping[str, str]
) -> Value:
    """Return a value that means objects of these categories; its type is a group if one is so."""
    group = next((name for name, members in GROUPS.items() if set(members) == set(categories)), "")
    either = categories[0] if len(categories) == 1 else f"(either {' '.join(categories)})"
    return Value(key, group or either, categories, "", avoid, key, forms)


def read_categories(node: Node, what: str) -> tuple[str, ...]:
    """Read a list of categories and groups of them, in the order written."""
    found: list[str] = []
    for item in node.items(what):
        name = item.word((*CATEGORIES, *GROUPS), "category")
        members = GROUPS.get(name, (name,))
        if not set(found).isdisjoint(members):
            item.fail(f"'{name}' is listed twice; keep one")
        found += members
    return tuple(found)


def read_avoided(node: Node | None, what: str, served: tuple[str, ...]) -> tuple[str, ...]:
    """Read a list of categories that some would mean too, none of which is `served`."""
    avoid = read_categories(node, what) if node else ()
    both = [category for category in avoid if category in served]
    if node and both:
        node.fail(f"'{both[0]}' is meant anyway; remove it from {what}")
    return avoid


def _group(name: str, node: Node) -> Value:
    what = f"the group '{name}'"
    parts = node.fields(what, ("noun", "each", "members"), ("number", "arguable"))
    members = read_categories(parts["members"], f"the members of {what}")
    avoid = read_avoided(parts.get("arguable"), f"'arguable' of {what}", members)
    number = parts["number"].word(("singular", "plural"), "number") if "number" in parts else ""
    agreement = _SINGULAR if number == "singular" else _PLURAL
    forms = {"": printable(parts["noun"]), "each": printable(parts["each"]), **agreement}
    return objects_value(name, members, avoid, forms)


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
    """Return "a" or "an" by the phrase's first letters; exceptions are listed in the lexicon."""
    word = phrase.lower()
    return "an" if word[0] in "aeiou" and not word.startswith(_LIKE_YOU) else "a"


_LIKE_YOU: Final = ("ute", "uni", "use", "u-", "eu", "one")
"""Beginnings with a vowel for a letter and a consonant for a sound: a utensil, a U-shaped bar."""


def _looks(category: str, node: Node) -> tuple[Value, ...]:
    found = []
    for index, item in enumerate(node.items(f"the looks of '{category}'")):
        what = f"a look of '{category}'"
        parts = item.fields(what, ("text",), ("also_fits", "article"))
        text = printable(parts["text"])
        avoid = read_avoided(parts.get("also_fits"), "'also_fits'", (category,))
        article = parts["article"].word(("a", "an"), "article") if "article" in parts else ""
        forms = {
            "": text,
            "a": f"{article or indefinite(text)} {text}",
            "the": f"the {text}",
            **_SINGULAR,
        }
        found.append(
            Value(f"{category}/{index}", category, (category,), "", avoid, category, forms)
        )
    return tuple(found)


_INTO: Final = {"in": ("into", "out of"), "on": ("onto", "off")}


def _place(name: str, node: Node) -> Value:
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
    "the": "the {0} just to the {1} of {2}",
    "beside": "the {0} immediately to the {1} of {2}",
    "next": "the nearest {0} to the {1} of {2}",
    "what": "whatever stands just to the {1} of {2}",
}
_BETWEEN: Final = {
    "the": "the {0} between {1} and {2}",
    "beside": "the {0} that stands between {1} and {2}",
    "next": "the {0} that is flanked by {1} and {2}",
    "what": "whatever stands between {1} and {2}",
}
"""Form of a relation -> what it says of a kind of thing, its side and anchor or its two anchors."""


def _relations(receptacles: Mapping[str, Value]) -> Iterator[Value]:
    the = {name: value.forms["the"] for name, value in receptacles.items()}
    for side, name in itertools.product(("left", "right"), the):
        yield _relation(f"{side}_of", (name,), _BESIDE, side, the[name])
    for first, second in itertools.combinations(the, 2):
        yield _relation("between", (first, second), _BETWEEN, the[first], the[second])


def _relation(kind: str, anchors: tuple[str, ...], texts: Mapping[str, str], *words: str) -> Value:
    meant = "kitchen unit" if anchors[-1] in AREAS["kitchen"] else "piece of furniture"
    forms = {form: text.format(meant, *words) for form, text in texts.items()}
    return Value(relation_key(kind, anchors), "", (), "", (), kind, forms)
