"""What a template must keep beyond its form; not for what only a flat can tell.

Facts that can be true together, goals that parse, sentences that name what the goal needs and mean
one thing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from langrearrange.errors import GoalError, TemplateError
from langrearrange.language.lexicon import MAX_TEXT
from langrearrange.language.markup import informative, parse_goal_markup
from langrearrange.language.nodes import Node, suggest
from langrearrange.language.schema import (
    STATEMENT,
    Absent,
    Only,
    Openness,
    Phrasing,
    Place,
    Segment,
    StartFact,
    Template,
    TemplateSlot,
)
from langrearrange.language.space import TextSpace
from langrearrange.world import Layout, initial_state
from langrearrange.world.goals import (
    And,
    Atom,
    Goal,
    Or,
    Quantified,
    Source,
    compile_goal,
    parse_goal,
    shared_variables,
    walk,
)
from langrearrange.world.goals.ast import OBJECT_TYPES
from langrearrange.world.vocabulary import NUM_CATEGORIES, NUM_RECEPTACLES, RECEPTACLES

_FLAT_OBJECTS: Final = 30
"""Objects of the fullest flat that the generator draws by default."""
_FULL_FLAT: Final = Layout(tuple(i % NUM_CATEGORIES for i in range(_FLAT_OBJECTS)))
_FULL_STATE: Final = initial_state(
    [i % NUM_RECEPTACLES for i in range(_FLAT_OBJECTS)], range(_FLAT_OBJECTS), 0
)
_PLACE_IN_MESSAGE: Final = re.compile(r"(?s).*?:(\d+):(\d+): (.*)\Z")


def check_facts(node: Node, template: Template) -> None:
    """Refuse contradicting facts, slots that could coincide and an empty text space."""
    slots = {slot.name: slot for slot in template.all_slots}
    for statement in template.statements:
        names = [*(s.name for s in template.slots), *(s.name for s in statement.slots)]
        objects = [name for name in names if slots[name].is_object]
        for i, name in enumerate(objects):
            for other in objects[:i]:
                if _may_coincide(slots[name], slots[other], statement.distinct):
                    node.fail(
                        f"template '{template.id}': '{other}' and '{name}' could be the same thing;"
                        f" add [{other}, {name}] under 'distinct:'"
                    )
        for case in template.cases:
            facts = (*template.start, *statement.start, *case.start)
            _check_openness(node, template, facts)
            _check_places(node, template, facts, slots, statement.distinct)
    if not template.needs_relations and not len(TextSpace(template)):
        node.fail(
            f"template '{template.id}': no choice of values satisfies 'distinct:'; widen the slots"
        )


def _may_coincide(
    one: TemplateSlot, other: TemplateSlot, distinct: Iterable[tuple[str, ...]]
) -> bool:
    if any(one.name in group and other.name in group for group in distinct):
        return False
    meant = {name for value in one.domain for name in value.meant}
    return any(name in meant for value in other.domain for name in value.meant)


def _check_openness(node: Node, template: Template, facts: tuple[StartFact, ...]) -> None:
    states: dict[str, bool] = {}
    for fact in facts:
        if isinstance(fact, Openness) and states.setdefault(fact.openable, fact.open) != fact.open:
            node.fail(
                f"template '{template.id}': {fact.openable} would have to be open and closed at "
                "the start; drop one of the two facts"
            )


def _check_places(
    node: Node,
    template: Template,
    facts: tuple[StartFact, ...],
    slots: dict[str, TemplateSlot],
    distinct: tuple[tuple[str, ...], ...],
) -> None:
    placed = [fact for fact in facts if isinstance(fact, Place)]
    for i, fact in enumerate(placed):
        for other in placed[:i]:
            if fact.categories == other.categories and "" in (fact.receptacle, other.receptacle):
                node.fail(
                    f"template '{template.id}': '{fact.categories[0]}' is placed twice at the "
                    "start; keep one 'place' fact and set its 'count', or give both a place"
                )
        for absent in facts:
            if not isinstance(absent, Absent):
                continue
            if absent.categories not in (fact.categories, ("anything",)):
                continue
            if absent.receptacle in ("", fact.receptacle):
                node.fail(
                    f"template '{template.id}': '{fact.categories[0]}' would have to be placed and "
                    "absent at once; drop one of the two facts"
                )
            here, there = slots.get(fact.receptacle), slots.get(absent.receptacle)
            if here and there and _may_coincide(here, there, distinct):
                node.fail(
                    f"template '{template.id}': '{here.name}' and '{there.name}' could be the same "
                    f"receptacle, where '{fact.categories[0]}' would have to be and not to be; add "
                    f"[{here.name}, {there.name}] under 'distinct:'"
                )


# -- goals ---------------------------------------------------------------------------------------


def check_goal(node: Node, template: Template) -> Goal:
    """Return the goal with the template's first values; an error points into the file.

    A goal that unrolls to more facts than an episode may have is refused here, not when the first
    episode is drawn.
    """
    declared = {slot.name: slot for slot in template.slots}
    written: list[str] = []
    places: list[int] = []  # of each character written, in the goal as it stands in the file
    position = 0
    for segment in parse_goal_markup(template.goal):
        if segment.slot and segment.slot not in declared:
            line, column = _goal_place(node, template.goal, position)
            raise TemplateError(
                f"{node.path}:{line}:{column}: the goal names the slot '{segment.slot}', which is "
                "not declared"
                + suggest(segment.slot, declared or ("none",), "Fix it or add it under 'slots:'")
            )
        raw = len(segment.slot) + 2 if segment.slot else len(segment.text)
        piece = declared[segment.slot].domain[0].pddl if segment.slot else segment.text
        piece = piece or RECEPTACLES[0]  # a relation's referent comes from the flat
        written.append(piece)
        places += [position + min(i, raw - 1) for i in range(len(piece))]
        position += raw
    places.append(position)
    text = "".join(written)
    try:
        goal = parse_goal(text, Source())
    except GoalError as error:
        match = _PLACE_IN_MESSAGE.fullmatch(str(error))
        if match is None:
            node.fail(f"the goal of '{template.id}': {error}")
        lines = text.split("\n")
        at = sum(len(line) + 1 for line in lines[: int(match[1]) - 1]) + int(match[2]) - 1
        line, column = _goal_place(node, template.goal, places[min(at, len(text))])
        raise TemplateError(
            f"{node.path}:{line}:{column}: in the goal of '{template.id}': {match[3]}"
        ) from None
    try:
        compile_goal(goal, _FULL_FLAT, _FULL_STATE)
    except GoalError as error:
        node.fail(f"template '{template.id}': {error}")
    predicates = {part.predicate for part in walk(goal) if isinstance(part, Atom)}
    if "on_top" in predicates and not predicates & {"hand_free", "holding"}:
        node.fail(
            f"the goal of '{template.id}' puts things on receptacles and leaves out the hand; add "
            "(hand_free), or a thing still held over the place would do"
        )
    return goal


def num_things(goal: Goal) -> int:
    """Return how many things at most one branch of the goal asks for."""
    match goal:
        case And(parts):
            return sum(map(num_things, parts))
        case Or(parts):
            return max(map(num_things, parts), default=0)
        case Quantified("exists", variables, body):
            return sum(v.over_objects for v in variables) + num_things(body)
        case Quantified(_, _, body):
            return num_things(body)
    return 0


def check_counting(node: Node, template: Template) -> None:
    """Refuse a goal in which one object could serve for two variables, unless the template may."""
    if template.same_object_ok:
        return
    for pieces in _sample_pieces(template):
        goal = parse_goal("".join(pieces.get(s.slot, s.text) for s in template.goal_segments))
        for one, other in shared_variables(goal):
            node.fail(
                f"template '{template.id}': one object could be both {one} and {other} of the goal;"
                f" add (not (= {one} {other})) in the scope of both, or 'same_object_ok: true' to "
                "the template"
            )


def _sample_pieces(template: Template) -> Iterator[dict[str, str]]:
    """Yield values of the slots, as goals write them, with every two that can be alike alike."""
    words = {w for s in template.goal_segments for w in re.findall(r"[a-z_]+", s.text)}
    written = {c for word in words & OBJECT_TYPES.keys() for c in OBJECT_TYPES[word]}
    pieces: dict[str, str] = {}
    taken: set[str] = set()
    for slot in sorted(template.slots, key=lambda slot: len(slot.domain)):
        value = next((v for v in slot.domain if not taken.intersection(v.meant)), slot.domain[0])
        pieces[slot.name] = value.pddl or RECEPTACLES[0]  # what a relation means, the flat says
        taken.update(value.meant)
    yield pieces
    for slot in template.slots:
        for value in slot.domain:
            if written & {*value.categories} and not taken & {*value.categories}:
                yield pieces | {slot.name: value.pddl}
    places = [slot for slot in template.slots if not slot.is_object]  # objects never coincide
    for one, other in itertools.combinations(places, 2):
        if not any(one.name in group and other.name in group for group in template.distinct):
            relation = "relation" in (one.kind, other.kind)
            common = {v.pddl for v in one.domain} & {v.pddl for v in other.domain}
            for piece in RECEPTACLES[:1] if relation else sorted(common)[:1]:
                yield pieces | {one.name: piece, other.name: piece}


def _goal_place(node: Node, goal: str, offset: int) -> tuple[int, int]:
    """Return the file's line and column of a character of the goal."""
    before = goal[:offset]
    row, inside = before.count("\n"), offset - (before.rfind("\n") + 1)
    if getattr(node.raw, "style", None) != "|":
        return node.line, node.text_column + offset
    line = node.line + 1 + row
    wanted = goal.split("\n")[row]
    actual = node.path.read_text(encoding="utf-8").split("\n")[line - 1]
    return line, actual.find(wanted) + inside + 1


# -- sentences -----------------------------------------------------------------------------------


_ORDER: Final = re.compile(
    r"\b(then|after|afterwards?|finally|eventually|first(ly)?|second(ly)?|third(ly)?|last(ly)?"
    r"|before|beforehand|next|(?<!at )once|later|subsequently|followed by|following|as soon as"
    r"|begin|start|finish|end with)\b",
    re.IGNORECASE,
)
_HOLE: Final = re.compile(r"\{[^{}]*\}")


def check_phrasing(node: Node, phrasing: Phrasing, template: Template, goal: Goal) -> None:
    """Refuse a sentence that leaves out a slot, supposes what is not so, or grows too long.

    Also one that tells an order between two things: no goal knows an order, so that such words
    would teach that they mean nothing.
    """
    literal = _HOLE.sub(lambda hole: "_" * len(hole[0]), phrasing.text)
    if num_things(goal) > 1 and (word := _ORDER.search(literal)):
        node.fail(
            f"'{word[0]}' tells an order between two things, and the goal of '{template.id}' knows "
            "none; join them with 'and'",
            shift=word.start() + node.text_column - node.column,
        )
    named = informative(phrasing.segments)
    needed = {segment.slot for segment in template.goal_segments if segment.slot}
    for slot in template.slots:
        if slot.name not in named and slot.kind != "need":
            why = "the goal needs" if slot.name in needed else "tells its texts apart"
            form = {"object": "a ", "look": "a ", "group": ""}.get(slot.kind, "the ")
            node.fail(
                f"this phrasing does not mention '{slot.name}', which {why}; add "
                f"{{{form}{slot.name}}} or drop the slot"
            )
    has_statements = len(template.statements) > 1 or bool(template.statements[0].segments)
    if has_statements and STATEMENT not in named:
        node.fail("this phrasing has no {statement}; put it where the remark belongs")
    for case in template.cases:
        facts = (*template.start, *case.start)
        check_presuppositions(node, phrasing.segments, template.slots, facts)
    longest = _longest(phrasing.segments, template)
    if longest > MAX_TEXT:
        node.fail(f"this phrasing can become {longest} characters long; accepted: {MAX_TEXT}")


def check_presuppositions(
    node: Node,
    segments: tuple[Segment, ...],
    slots: Iterable[TemplateSlot],
    facts: tuple[StartFact, ...],
) -> None:
    """Refuse "the cup" where the facts of the start allow several cups."""
    objects = {slot.name for slot in slots if slot.is_object}
    for segment in segments:
        if segment.form != "the" or segment.slot not in objects:
            continue
        if not any(_makes_unique(fact, segment.slot) for fact in facts):
            node.fail(
                f"{{the {segment.slot}}} supposes that there is one, but several may be in the "
                f"flat; write {{a {segment.slot}}} or add '- {{only: {segment.slot}}}' to 'start:'"
            )


def _makes_unique(fact: StartFact, slot: str) -> bool:
    match fact:
        case Only(categories):
            return categories == (slot,)
        case Place(categories, receptacle, 1):
            return categories == (slot,) and receptacle != ""
    return False


def _longest(segments: tuple[Segment, ...], template: Template) -> int:
    domains = {slot.name: slot.domain for slot in template.all_slots}
    total = 0
    for segment in segments:
        if segment.slot == STATEMENT:
            total += max(_longest(s.segments, template) for s in template.statements)
        elif segment.slot:
            total += max(len(value.forms[segment.form]) for value in domains[segment.slot])
        else:
            total += len(segment.text)
    return total


def check_texts(path: Path, templates: tuple[Template, ...]) -> None:
    """Refuse files in which two different groundings would be said in the same words.

    Cheap and sufficient against copies: equal skeletons, and values that share a text. That no
    sentence is read in two ways at all is proved by `language.read_back` in tests and in `check`.
    """
    skeletons: dict[tuple[str, ...], tuple[str, int]] = {}
    for template in templates:
        for phrasing in template.phrasings:
            key = tuple(
                s.text.lower() or f"{s.form} {template.kind(s.slot)}" for s in phrasing.segments
            )
            if key in skeletons:
                other, line = skeletons[key]
                raise TemplateError(
                    f"{path}:{phrasing.line}:1: template '{template.id}' says the same as "
                    f"'{other}' on line {line}, so one sentence would have two goals; reword one"
                )
            skeletons[key] = template.id, phrasing.line
            _check_values(path, template, phrasing)


def _check_values(path: Path, template: Template, phrasing: Phrasing) -> None:
    for name in informative(phrasing.segments) - {STATEMENT}:
        forms = [s.form for s in phrasing.segments if s.slot == name]
        seen: dict[tuple[str, ...], str] = {}
        for value in template.slot(name).domain:
            texts = tuple(value.forms[form].lower() for form in forms)
            if texts in seen:
                raise TemplateError(
                    f"{path}:{phrasing.line}:1: template '{template.id}': the values "
                    f"'{seen[texts]}' and '{value.key}' of '{name}' are both said '{texts[0]}'; "
                    "change one of their words or except one"
                )
            seen[texts] = value.key
