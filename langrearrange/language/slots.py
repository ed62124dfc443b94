"""Slots and what they may be bound to, read from YAML; not for the sentences that use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from langrearrange.language.grounding import ANYTHING
from langrearrange.language.lexicon import (
    Lexicon,
    objects_value,
    read_avoided,
    read_categories,
)
from langrearrange.language.nodes import Node
from langrearrange.language.schema import STATEMENT, TemplateSlot, Value
from langrearrange.world.vocabulary import (
    AREAS,
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
    "group": "groups",
    "look": "categories",
    "need": "serve",
    "receptacle": "receptacles",
    "area": "areas",
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


class SlotReader:
    """Reads slots by the words of a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def slots(self, node: Node | None, template: str = "need") -> dict[str, TemplateSlot]:
        """Read the declared slots of a template; none for a missing node."""
        found: dict[str, TemplateSlot] = {}
        for name, (key, value) in node.entries("'slots'").items() if node else ():
            read_id(key)
            if name in (*CATEGORIES, *RECEPTACLES, *AREAS, *OPENABLES, *_RESERVED):
                key.fail(f"a slot cannot be called '{name}', which means something else; rename it")
            found[name] = self._slot(name, value, template)
        return found

    def _slot(self, name: str, node: Node, template: str) -> TemplateSlot:
        entries = node.entries(f"the slot '{name}'")
        if "kind" not in entries:
            node.fail(f"the slot '{name}' lacks 'kind'; accepted: {', '.join(_SLOT_KEYS)}")
        kind = entries["kind"][1].word(_SLOT_KEYS, "kind of slot")
        if kind == "need":
            return self._need(name, node, template)
        source = _SLOT_KEYS[kind]
        parts = node.fields(f"the {kind} slot '{name}'", ("kind",), (source, "except"))
        values = self._domain(kind, parts.get(source))
        if "except" in parts:
            values = _without(parts["except"], values)
        if not values:
            node.fail(f"nothing is left that the slot '{name}' could be; widen '{source}'")
        return TemplateSlot(name, kind, values)  # type: ignore[arg-type]

    def _need(self, name: str, node: Node, template: str) -> TemplateSlot:
        parts = node.fields(f"the need '{name}'", ("kind", "serve"), ("arguable",))
        serve = read_categories(parts["serve"], f"what serves '{name}'")
        avoid = read_avoided(parts.get("arguable"), "'arguable'", serve)
        return TemplateSlot(name, "need", (objects_value(template, serve, avoid, {}),))

    def _domain(self, kind: str, node: Node | None) -> tuple[Value, ...]:
        lexicon = self._lexicon
        match kind:
            case "object":
                return tuple(lexicon.objects[c] for c in _members(node, _CATEGORY_SETS, CATEGORIES))
            case "receptacle":
                places = _members(node, _RECEPTACLE_SETS, RECEPTACLES)
                return tuple(lexicon.receptacles[r] for r in places)
            case "look":
                return self._looks(node)
            case "group":
                known = tuple(lexicon.groups)
                return tuple(lexicon.groups[n] for n in _members(node, {"all": known}, known))
            case "area":
                known = tuple(lexicon.areas)
                return tuple(lexicon.areas[n] for n in _members(node, {"all": known}, known))
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
