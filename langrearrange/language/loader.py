"""Template files: YAML to `TemplateFile`; errors give file, line, column and remedy.

Not for drawing episodes. What a file must keep beyond its form is in `language.checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from langrearrange.errors import TemplateError
from langrearrange.language.checks import (
    check_counting,
    check_facts,
    check_goal,
    check_phrasing,
    check_presuppositions,
    check_texts,
)
from langrearrange.language.grounding import ANYTHING
from langrearrange.language.lexicon import Lexicon, load_lexicon
from langrearrange.language.markup import (
    informative,
    one_line,
    parse_goal_markup,
    parse_markup,
)
from langrearrange.language.nodes import Node, read_yaml, stamp, suggest
from langrearrange.language.readback import check_one_reading
from langrearrange.language.schema import (
    STATEMENT,
    Absent,
    Only,
    Openness,
    Phrasing,
    Place,
    StartCase,
    StartFact,
    Statement,
    Template,
    TemplateFile,
    TemplateSlot,
)
from langrearrange.language.slots import SlotReader, read_distinct, read_id
from langrearrange.paths import templates_path
from langrearrange.world.vocabulary import OPENABLES, RECEPTACLES, SPLITS

TEXTS_OF: Final = {
    split: "train" if split in ("train_mini", "train_eval", "validation", "new_scenes") else split
    for split in SPLITS
}
"""Split -> name of the template file whose sentences it uses."""


def load_split(split: str) -> TemplateFile:
    """Return the shipped templates that a split's sentences come from.

    Args:
        split: one of `world.vocabulary.SPLITS`; new_scenes, validation and the other views of the
            training texts share train's file.

    Raises:
        TemplateError: no such split.
    """
    if split not in TEXTS_OF:
        raise TemplateError(f"unknown split '{split}'{suggest(split, SPLITS)}")
    return load_templates(templates_path() / f"{TEXTS_OF[split]}.yaml")


def load_templates(path: Path | str) -> TemplateFile:
    """Read and check a template file; the result is cached until a file changes.

    Args:
        path: a YAML file; a `lexicon.yaml` beside it is used instead of the shipped one.

    Raises:
        TemplateError: `file:line:column: what is wrong; what is accepted or what to do`.
    """
    path = Path(path)
    beside = path.parent / "lexicon.yaml"
    lexicon = load_lexicon(beside if stamp(beside)[0] else None)
    return _load(path, stamp(path), lexicon)


@lru_cache(maxsize=32)
def _load(path: Path, _stamp: tuple[int, int], lexicon: Lexicon) -> TemplateFile:
    root, data = read_yaml(path)
    fields = root.fields("the file", ("schema", "split", "templates"))
    fields["schema"].schema()
    split = read_id(fields["split"])
    entries = fields["templates"].entries("'templates'")
    if not entries:
        fields["templates"].fail("there is no template; add one below 'templates:'")
    reader = _TemplateReader(lexicon)
    templates = tuple(reader.template(key, node) for key, node in entries.values())
    check_texts(path, templates)
    digest = hashlib.sha256(hashlib.sha256(lexicon.data).digest() + data).hexdigest()
    file = TemplateFile(path, split, templates, digest)
    check_one_reading(file)
    return file


class _TemplateReader:
    def __init__(self, lexicon: Lexicon) -> None:
        self._read = SlotReader(lexicon)

    def template(self, key: Node, node: Node) -> Template:
        name = read_id(key)
        parts = node.fields(
            f"template '{name}'",
            ("concept", "goal", "phrasings"),
            (
                "slots",
                "distinct",
                "start",
                "cases",
                "same_object_ok",
                "statements",
                "statement_slots",
                "cluster",
            ),
        )
        slots = self._read.slots(parts.get("slots"), name)
        remark_slots = self._read.slots(parts.get("statement_slots"))
        for slot in remark_slots.keys() & slots.keys():
            parts["statement_slots"].fail(f"the slot '{slot}' is declared twice; rename one")
        everything = slots | remark_slots
        distinct = read_distinct(parts.get("distinct"), everything)
        statements = self._statements(parts.get("statements"), slots, remark_slots, distinct)
        phrasings = self._phrasings(parts["phrasings"], slots, bool(statements))
        start = self._facts(parts.get("start"), slots)
        cases = self._cases(parts.get("cases"), slots)
        goal = goal_text(parts["goal"])
        own = tuple(group for group in distinct if set(group) <= slots.keys())
        template = Template(
            id=name,
            concept=read_id(parts["concept"]),
            slots=tuple(slots.values()),
            distinct=own,
            start=start,
            cases=cases,
            goal=goal,
            goal_segments=tuple(parse_goal_markup(one_line(goal))),
            same_object_ok="same_object_ok" in parts
            and parts["same_object_ok"].word(("true", "false"), "answer") == "true",
            phrasings=phrasings,
            statements=statements or (Statement(distinct=own),),
            cluster=self._cluster(parts.get("cluster"), slots, bool(statements)),
            line=key.line,
        )
        check_facts(parts.get("start") or parts.get("cases") or key, template)
        first = check_goal(parts["goal"], template)
        check_counting(parts["goal"], template)
        for phrasing, item in zip(phrasings, parts["phrasings"].items("phrasings"), strict=True):
            check_phrasing(item, phrasing, template, first)
        return template

    # -- facts of the start ----------------------------------------------------------------------

    def _facts(self, node: Node | None, slots: Mapping[str, TemplateSlot]) -> tuple[StartFact, ...]:
        return tuple(self._fact(item, slots) for item in node.items("'start'")) if node else ()

    def _fact(self, node: Node, slots: Mapping[str, TemplateSlot]) -> StartFact:
        entries = node.entries("a fact of the start")
        head = next(iter(entries), "")
        objects = [name for name, slot in slots.items() if slot.is_object]
        if head in OPENABLES:
            value = node.fields("this fact", (head,))[head]
            return Openness(head, value.word(("open", "closed"), "state") == "open")
        if head == "place":
            parts = node.fields("a 'place' fact", ("place",), ("on", "count"))
            count = parts["count"].integer("the count", 1, 5) if "count" in parts else 1
            accepted = (*objects, ANYTHING) if "on" in parts else objects
            name = parts["place"].word(accepted, "object slot")
            return Place((name,), self._where(parts.get("on"), slots), count)
        if head == "absent":
            parts = node.fields("an 'absent' fact", ("absent",), ("on",))
            name = parts["absent"].word((*objects, ANYTHING), "object slot")
            if name == ANYTHING and "on" not in parts:
                node.fail("nothing at all in the flat? add 'on:' with a receptacle")
            return Absent((name,), self._where(parts.get("on"), slots))
        if head == "only":
            return Only((node.fields("an 'only' fact", ("only",))["only"].word(objects, "slot"),))
        node.fail(f"unknown fact '{head}'"
                  f"{suggest(head, ('place', 'absent', 'only', *OPENABLES))}")  # fmt: skip

    def _where(self, node: Node | None, slots: Mapping[str, TemplateSlot]) -> str:
        if node is None:
            return ""
        places = [name for name, slot in slots.items() if not slot.is_object]
        return node.word((*places, *RECEPTACLES), "receptacle or slot")

    def _cases(self, node: Node | None, slots: Mapping[str, TemplateSlot]) -> tuple[StartCase, ...]:
        if node is None:
            return (StartCase("", ()),)
        found = []
        for name, (key, value) in node.entries("'cases'").items():
            read_id(key)
            found.append(StartCase(name, self._facts(value, slots)))
        if len(found) < 2:
            node.fail("a single case; add another or move its facts to 'start:'")
        return tuple(found)

    # -- sentences -------------------------------------------------------------------------------

    def _statements(
        self,
        node: Node | None,
        slots: Mapping[str, TemplateSlot],
        remark_slots: Mapping[str, TemplateSlot],
        distinct: tuple[tuple[str, ...], ...],
    ) -> tuple[Statement, ...]:
        found = []
        everything = {**slots, **remark_slots}
        for name, (key, value) in node.entries("'statements'").items() if node else ():
            read_id(key)
            parts = value.fields(f"the statement '{name}'", ("text",), ("start",))
            segments = parse_markup(parts["text"], everything)
            used = tuple(s for s in remark_slots.values() if s.name in informative(segments))
            present = {*slots, *(slot.name for slot in used)}
            groups = tuple(group for group in distinct if set(group) <= present)
            scope = {n: slot for n, slot in everything.items() if n in present}
            facts = self._facts(parts.get("start"), scope)
            check_presuppositions(parts["text"], segments, used, facts)
            found.append(Statement(name, segments, used, groups, facts, parts["text"].text()))
        return tuple(found)

    def _phrasings(
        self, node: Node, slots: Mapping[str, TemplateSlot], statements: bool
    ) -> tuple[Phrasing, ...]:
        found: list[Phrasing] = []
        for index, item in enumerate(node.items("'phrasings'")):
            segments = parse_markup(item, slots, statements=statements)
            for other in found:
                if other.text.lower() == item.text().lower():
                    item.fail(f"this phrasing repeats line {other.line}; remove one")
            found.append(Phrasing(index, item.text(), segments, item.line))
        return tuple(found)

    def _cluster(
        self, node: Node | None, slots: Mapping[str, TemplateSlot], statements: bool
    ) -> tuple[str, ...]:
        if node is None:
            return ("template", "phrasing")
        accepted = ("template", "phrasing", *slots, *((STATEMENT,) if statements else ()))
        return tuple(item.word(accepted, "part of a cluster") for item in node.items("'cluster'"))


def goal_text(node: Node) -> str:
    """Return a goal as written; folded text is refused, since it would lose its lines."""
    style = getattr(node.raw, "style", None)
    if style == ">":
        node.fail("a folded goal (>) loses its lines; use | or one line in double quotes")
    return node.text() if style == "|" else node.line_of_text()
