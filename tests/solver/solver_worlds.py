"""Random small households and random goals for the solver's property tests."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from langrearrange.world import Layout, WorldState, initial_state
from langrearrange.world.goals import Goal, parse_goal
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    CONTAINERS,
    IN_HAND,
    NAV_INDEX,
    NAV_TARGETS,
    NUM_OPENABLES,
    OPENABLE_INDEX,
    RECEPTACLE_INDEX,
    RECEPTACLES,
    START,
    handle_of,
)

CATEGORY_NAMES = ("apple", "pear", "ball")
OBJECT_TYPE_NAMES = (*CATEGORY_NAMES, "apple", "apple", "fruit", "object", "(either apple ball)")


class World(NamedTuple):
    """A household at t=0, the state to plan from, and the fixtures that goals may name."""

    layout: Layout
    initial: WorldState
    start: WorldState
    receptacles: tuple[str, ...]
    openables: tuple[str, ...]


def household(
    objects: list[tuple[str, str]], opened: tuple[str, ...] = (), **layout: object
) -> tuple[Layout, WorldState]:
    """Return layout and state for [(category, receptacle), ...] in object order."""
    slots = [sum(r == where for _, r in objects[:i]) for i, (_, where) in enumerate(objects)]
    return (
        Layout(tuple(CATEGORY_INDEX[c] for c, _ in objects), **layout),  # type: ignore[arg-type]
        initial_state(
            [RECEPTACLE_INDEX[r] for _, r in objects],
            slots,
            sum(1 << OPENABLE_INDEX[name] for name in opened),
        ),
    )


@st.composite
def worlds(draw: st.DrawFn, *, standard: bool = True, from_start: bool = False) -> World:
    """Draw a household of two to four receptacles and at most three objects."""
    surfaces = draw(st.lists(st.sampled_from(RECEPTACLES[:8]), min_size=1, max_size=2, unique=True))
    containers = draw(st.lists(st.sampled_from(CONTAINERS), min_size=0, max_size=2, unique=True))
    receptacles = (*surfaces, *containers)
    openables = (*containers, *draw(st.sampled_from(((), ("middle_drawer",)))))
    names = (*receptacles, *map(handle_of, openables))
    count = draw(st.integers(1, 3))
    objects = [
        (draw(st.sampled_from(CATEGORY_NAMES)), draw(st.sampled_from(receptacles)))
        for _ in range(count)
    ]
    opened = tuple(name for name in openables if draw(st.booleans()))
    options: dict[str, object] = {"present": sum(1 << NAV_INDEX[name] for name in names)}
    if not standard:
        options |= draw(_odd_layouts(receptacles, openables, names))
    layout, initial = household(objects, opened, **options)
    start = initial if from_start or draw(st.booleans()) else draw(_later(layout, initial, names))
    return World(layout, initial, start, receptacles, openables)


@st.composite
def _odd_layouts(
    draw: st.DrawFn,
    receptacles: tuple[str, ...],
    openables: tuple[str, ...],
    names: tuple[str, ...],
) -> dict[str, object]:
    """Overlapping reach, missing fixtures and the release's semantics."""
    reach, operable = [0] * (START + 1), [0] * (START + 1)
    for name in names:
        for receptacle in receptacles:
            if name == receptacle or draw(st.integers(0, 2)) == 0:
                reach[NAV_INDEX[name]] |= 1 << RECEPTACLE_INDEX[receptacle]
        for openable in openables:
            if openable in name or draw(st.integers(0, 2)) == 0:
                operable[NAV_INDEX[name]] |= 1 << OPENABLE_INDEX[openable]
    kept = [name for name in names if draw(st.integers(0, 5)) > 0] or names[:1]
    return {
        "reach": tuple(reach),
        "operable": tuple(operable),
        "present": sum(1 << NAV_INDEX[name] for name in kept),
        "semantics": draw(st.sampled_from(("paper", "release"))),
    }


@st.composite
def _later(
    draw: st.DrawFn, layout: Layout, initial: WorldState, names: tuple[str, ...]
) -> WorldState:
    """Another state of the same household: robot, openings and perhaps a held object differ."""
    receptacles, slots = list(initial.receptacles), list(initial.slots)
    held = draw(st.integers(-1, len(receptacles) - 1))
    if held >= 0:
        receptacles[held], slots[held] = IN_HAND, 0
    return WorldState(
        draw(st.sampled_from([NAV_INDEX[name] for name in names] + [START])),
        held,
        tuple(receptacles),
        tuple(slots),
        draw(st.integers(0, (1 << NUM_OPENABLES) - 1)),
    )


@st.composite
def random_states(draw: st.DrawFn, world: World) -> WorldState:
    """Draw any state of the household, reachable or not."""
    count = world.layout.num_objects
    held = draw(st.integers(-1, count - 1))
    where = [draw(st.integers(0, len(RECEPTACLES) - 1)) for _ in range(count)]
    if held >= 0:
        where[held] = IN_HAND
    place = draw(st.integers(0, len(NAV_TARGETS)))
    open_mask = draw(st.integers(0, (1 << NUM_OPENABLES) - 1))
    return WorldState(place, held, tuple(where), tuple(range(count)), open_mask)


@st.composite
def goals(draw: st.DrawFn, world: World, depth: int = 3) -> Goal:
    """Draw any goal that fits the household: mostly one that takes steps, else any formula."""
    if draw(st.integers(0, 2)):
        return parse_goal(draw(_task_goal(world)))
    return parse_goal(draw(_formula(world, draw(st.integers(1, depth)), ())))


@st.composite
def _task_goal(draw: st.DrawFn, world: World) -> str:
    """A conjunction of demands such as sentences make, with or without a free hand at the end."""
    where, container = st.sampled_from(world.receptacles), st.sampled_from(world.openables or ("",))
    object_type = st.sampled_from(OBJECT_TYPE_NAMES)
    parts = ["(hand_free)"] if draw(st.integers(0, 3)) else []
    for index in range(draw(st.integers(1, 3))):
        kind, x, r = draw(object_type), f"?x{index}", f"?r{index}"
        a, b, c = draw(where), draw(where), draw(container)
        forms = [
            f"(exists ({x} - {kind}) (on_top {x} {a}))",
            f"(exists ({x} - {kind}) (and (initially (on_top {x} {b})) (on_top {x} {a})))",
            f"(forall ({x} - {kind}) (on_top {x} {a}))",
            f"(forall ({x} - {kind}) (imply (initially (on_top {x} {b})) (on_top {x} {a})))",
            f"(forall ({x} - {kind}) (not (on_top {x} {b})))",
            f"(forall ({x} - {kind}) (imply (initially (on_top {x} {a})) (undisturbed {x})))",
            f"(exists ({x} - {kind}) (near {x}))",
            f"(exists ({x} - {kind}) (holding {x}))",
            f"(exists ({x} - {kind} {r} - container) (and (on_top {x} {r}) (closed {r})))",
            f"(robot_at {a})",
            f"(exists ({x} {x}b - {kind}) (and (not (= {x} {x}b)) (on_top {x} {a})"
            f" (on_top {x}b {b})))",
            f"(exists ({x} - {kind} {r} - receptacle) (and (on_top {x} {r}) (not (= {r} {a}))))",
            f"(exists ({x} - {kind}) (and (on_top {x} {a}) (forall ({x}b - {kind})"
            f" (or (= {x} {x}b) (undisturbed {x}b)))))",
        ]
        if c:
            forms += [f"(open {c})", f"(closed {c})"]
        parts.append(draw(st.sampled_from(forms)))
    return f"(and {' '.join(parts)})"


@st.composite
def _formula(draw: st.DrawFn, world: World, depth: int, scope: tuple[tuple[str, str], ...]) -> str:
    if depth == 0:
        return draw(_atom(world, scope))
    part = _formula(world, depth - 1, scope)
    kind = draw(st.sampled_from(("exists", "forall", "and", "or", "not", "imply", "initially")))
    if kind in ("and", "or"):
        return f"({kind} {' '.join(draw(st.lists(part, min_size=1, max_size=3)))})"
    if kind in ("not", "initially"):
        return f"({kind} {draw(part)})"
    if kind == "imply":
        return f"(imply {draw(part)} {draw(part)})"
    name = f"?v{len(scope)}"
    types = st.sampled_from((*OBJECT_TYPE_NAMES, "receptacle", "container", "surface"))
    variable_type = draw(types if scope else st.sampled_from(OBJECT_TYPE_NAMES))
    inner = (*scope, (name, variable_type))
    return f"({kind} ({name} - {variable_type}) {draw(_formula(world, depth - 1, inner))})"


@st.composite
def _atom(draw: st.DrawFn, world: World, scope: tuple[tuple[str, str], ...]) -> str:
    places = ("receptacle", "container", "surface")
    objects = [name for name, kind in scope if kind not in places]
    receptacles = [name for name, kind in scope if kind in places] * 2 + list(world.receptacles)
    containers = [name for name, kind in scope if kind == "container"] + list(world.openables)
    kinds = ["hand_free", "robot_at"] + ["open", "closed"] * bool(containers)
    if len(objects) > 1:
        kinds += ["="] * 3
    if objects:
        kinds = ["on_top"] * 4 + ["holding", "near", "undisturbed"] * 2 + kinds
    kind = draw(st.sampled_from(kinds))
    match kind:
        case "=":
            return f"(= {draw(st.sampled_from(objects))} {draw(st.sampled_from(objects))})"
        case "on_top":
            where = draw(st.sampled_from(receptacles))
            return f"(on_top {draw(st.sampled_from(objects))} {where})"
        case "holding" | "near" | "undisturbed":
            return f"({kind} {draw(st.sampled_from(objects))})"
        case "open" | "closed":
            return f"({kind} {draw(st.sampled_from(containers))})"
        case "robot_at":
            spots = [r for r in receptacles if not r.startswith("?")]
            return f"(robot_at {draw(st.sampled_from(spots))})"
    return "(hand_free)"
