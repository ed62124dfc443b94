"""Slots and what they may be bound to, read from YAML; not for the sentences that use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from langrearrange.language.grounding import ANYTHING
from langrearrange.language.lexicon import Lexicon, printable
from langrearrange.language.nodes import Node
from langrearrange.language.schema import STATEMENT, TemplateSlot, Value
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CONTAINERS,
    GROUPS,
    HELD_OUT_CATEGORIES,
    OPENABLES,
    RECEPTACLES,
    SURFACES,
    TRAIN_CATEGORIES,
)

_CATEGORY_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "all": CATEGORIES,
    "train": TRAIN_CATEGORIES,
    "held_out": HELD_OUT_CATEGORIES,
    **GROUPS,
}
_RECEPTACLE_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "all": RECEPTACLES,
    "surfaces": SURFACES,
    "containers": CONTAINERS,
}
_ID: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_SLOT_KEYS: Final[Mapping[str, str]] = {
    "object": "categories",
    "receptacle": "receptacles",
    "look": "categories",
    "situation": "situations",
    "relation": "relations",
}
"""Kind of slot -> the key that narrows its domain."""
_RESERVED: Final = (STATEMENT, ANYTHING, "phrasing", "template")
_RELATION_KINDS: Final = ("left_of", "right_of", "between")


def read_id(node: Node) -> str:
    """Return the name of a split, template, slot...; refuse what cannot be one."""
    name = node.text()
    if not name or not set(name) <= _ID or not name[0].isalpha():
        node.fail(
            f"'{name}' is an invalid identifier; use small letters, digits and _, as in move_two"
        )
    return name


def read_situations(node: Node) -> dict[str, Value]:
    """Read the file's situations: what they say, what serves, what some would accept."""
    found = {}
    for name, (key, value) in node.entries("'situations'").items():
        read_id(key)
        what = f"the situation '{name}'"
        parts = value.fields(what, ("text", "need", "serve"), ("arguable",))
        serve = _categories(parts["serve"], what)
        avoid = _categories(parts["arguable"], what) if "arguable" in parts else ()
        both = [category for category in avoid if category in serve]
        if both:
            parts["arguable"].fail(f"'{both[0]}' is both served and arguable; keep it in one list")
        pddl = serve[0] if len(serve) == 1 else f"(either {' '.join(serve)})"
        forms = {"": printable(parts["text"]), "need": printable(parts["need"])}
        if not forms[""].endswith((".", "!", "?")):
            parts["text"].fail("a situation must be a full sentence; end it with '.'")
        found[name] = Value(name, pddl, serve, "", avoid, name, forms)
    return found


def _categories(node: Node, what: str) -> tuple[str, ...]:
    found: list[str] = []
    for item in node.items(f"the categories of {what}"):
        name = item.word(CATEGORIES, "category")
        if name in found:
            item.fail(f"'{name}' is listed twice; keep one")
        found.append(name)
    return tuple(found)


class SlotReader:
    """Reads slots by the words of a lexicon and the situations of a file."""

    def __init__(self, lexicon: Lexicon, situations: Mapping[str, Value]) -> None:
        self._lexicon = lexicon
        self._situations = situations

    def slots(self, node: Node | None) -> dict[str, TemplateSlot]:
        """Read declared slots; none for a missing node."""
        found: dict[str, TemplateSlot] = {}
        for name, (key, value) in node.entries("'slots'").items() if node else ():
            read_id(key)
            if name in (*CATEGORIES, *RECEPTACLES, *OPENABLES, *_RESERVED):
                key.fail(f"a slot cannot be called '{name}', which means something else; rename it")
            found[name] = self._slot(name, value)
        return found

    def _slot(self, name: str, node: Node) -> TemplateSlot:
        entries = node.entries(f"the slot '{name}'")
        if "kind" not in entries:
            node.fail(f"the slot '{name}' lacks 'kind'; accepted: {', '.join(_SLOT_KEYS)}")
        kind = entries["kind"][1].word(_SLOT_KEYS, "kind of slot")
        source = _SLOT_KEYS[kind]
        parts = node.fields(f"the {kind} slot '{name}'", ("kind",), (source, "except"))
        values = self._domain(kind, parts.get(source), node)
        if "except" in parts:
            values = _without(parts["except"], values)
        if not values:
            node.fail(f"nothing is left that the slot '{name}' could be; widen '{source}'")
        return TemplateSlot(name, kind, values)  # type: ignore[arg-type]

    def _domain(self, kind: str, node: Node | None, at: Node) -> tuple[Value, ...]:
        lexicon = self._lexicon
        match kind:
            case "object":
                return tuple(lexicon.objects[c] for c in _members(node, _CATEGORY_SETS, CATEGORIES))
            case "receptacle":
                places = _members(node, _RECEPTACLE_SETS, RECEPTACLES)
                return tuple(lexicon.receptacles[r] for r in places)
            case "look":
                return self._looks(node)
            case "situation":
                known = tuple(self._situations)
                if not known:
                    at.fail("there are no situations; add 'situations:' to the file")
                return tuple(self._situations[n] for n in _members(node, {"all": known}, known))
            case _:
                kinds = _members(node, {"all": _RELATION_KINDS}, _RELATION_KINDS)
                return tuple(value for value in lexicon.relations if value.group in kinds)

    def _looks(self, node: Node | None) -> tuple[Value, ...]:
        described = tuple(c for c in CATEGORIES if self._lexicon.looks[c])
        sets = {name: tuple(c for c in members if c in described)
                for name, members in _CATEGORY_SETS.items()}  # fmt: skip
        members = _members(node, sets, described)
        return tuple(value for category in members for value in self._lexicon.looks[category])


def read_distinct(
    node: Node | None, slots: Mapping[str, TemplateSlot]
) -> tuple[tuple[str, ...], ...]:
    """Read the groups of slots whose values differ pairwise."""
    groups = []
    for item in node.items("'distinct'") if node else ():
        names: list[str] = []
        for part in item.items("a group of slots that differ"):
            name = part.word(slots, "slot")
            if name in names:
                part.fail(f"'{name}' cannot differ from itself; name another slot")
            if names and slots[name].is_object != slots[names[0]].is_object:
                part.fail(f"'{name}' and '{names[0]}' differ anyway: one is an object, the "
                          "other a place; remove one")  # fmt: skip
            names.append(name)
        if len(names) < 2:
            item.fail("two slots or more differ; add another, as in [source, target]")
        groups.append(tuple(names))
    return tuple(groups)


def _members(
    node: Node | None, sets: Mapping[str, tuple[str, ...]], known: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the named set, or the list's members in the order of `known`."""
    if node is None:
        return sets["all"] if "all" in sets else known
    if not node.is_list():
        return sets[node.word(sets, "set")]
    found: set[str] = set()
    for item in node.items("the list"):
        name = item.word((*known, *sets), "name")
        members = sets.get(name, (name,))
        if found & set(members):
            item.fail(f"'{name}' repeats what is listed already; remove it")
        found.update(members)
    return tuple(name for name in known if name in found)


def _without(node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
    keys = tuple(dict.fromkeys(value.group for value in values))
    dropped = {item.word(keys, "member to except") for item in node.items("'except'")}
    return tuple(value for value in values if value.group not in dropped)
