"""Six small hand-made episodes, for tests that need no generator. Not part of the benchmark."""

from collections import Counter
from typing import Final

from langrearrange.dataset.episode import Episode, ObjectPlacement, Start
from langrearrange.houses import get_house, models_of

HOUSE: Final = "flat_0_00"
SPLIT: Final = "toy"


def toy_episodes() -> tuple[Episode, ...]:
    """Return the episodes: fetch, two at once, from the fridge, find, conditional, all.

    Their ids are `toy/000000` to `toy/000005`; plans are optimal, subgoals those of the solver.
    """
    return (
        _episode(
            0,
            "move",
            "Bring an apple from the sofa to the sink.",
            "(exists (?x - apple) (and (on_top ?x sink) (hand_free)))",
            "apple@sofa mug@chair ball@sofa apple@left_drawer",
            plan="nav(sofa) pick(apple) nav(sink) place(sink)",
            subgoals="held(apple) delivered(apple,sink,1)",
        ),
        _episode(
            1,
            "move",
            "Put a ball on the chair.",
            "(exists (?x - ball) (and (on_top ?x chair) (hand_free)))",
            "ball@tv_stand book@chair plum@fridge plum@fridge",
            plan="nav(tv_stand) pick(ball) nav(chair) place(chair)",
            subgoals="held(ball) delivered(ball,chair,1)",
        ),
        _episode(
            2,
            "fridge",
            "Take the lemon out of the fridge, put it on the brown table and close the fridge.",
            "(and (exists (?x - lemon) (on_top ?x brown_table)) (closed fridge) (hand_free))",
            "lemon@fridge cup@fridge sponge@brown_table",
            plan="nav(fridge) open(fridge) pick(lemon) close(fridge) nav(brown_table) "
            "place(brown_table)",
            subgoals="opened(fridge) held(lemon) delivered(lemon,brown_table,1)",
        ),
        _episode(
            3,
            "find",
            "Find a hammer.",
            "(exists (?x - hammer) (near ?x))",
            "hammer@right_drawer wrench@black_table",
            plan="nav(right_drawer) open(right_drawer)",
            subgoals="opened(right_drawer)",
        ),
        _episode(
            4,
            "conditional",
            "If the fridge is open, bring a pear to the left counter.",
            "(and (open fridge) (exists (?x - pear) (on_top ?x left_counter)) (hand_free))",
            "pear@right_counter peach@right_counter can@fridge",
            open_="fridge middle_drawer",
            plan="nav(right_counter) pick(pear) nav(left_counter) place(left_counter)",
            subgoals="held(pear) delivered(pear,left_counter,1)",
        ),
        _episode(
            5,
            "all",
            "Put all the cups in the sink.",
            "(and (forall (?x - cup) (on_top ?x sink)) (hand_free))",
            "cup@chair cup@sofa bowl@sink",
            plan="nav(chair) pick(cup) nav(sink) place(sink) nav(sofa) pick(cup) nav(sink) "
            "place(sink)",
            subgoals="held(cup) delivered(cup,sink,1) held(cup,sink,1) delivered(cup,sink,2)",
        ),
    )


def _episode(
    index: int,
    template: str,
    instruction: str,
    goal: str,
    objects: str,
    *,
    plan: str,
    subgoals: str,
    open_: str = "",
) -> Episode:
    x_mm, y_mm = get_house(HOUSE).start_cells[0]
    counts: Counter[str] = Counter()
    placements: list[ObjectPlacement] = []
    for word in objects.split():
        category, receptacle = word.split("@")
        placements.append(
            ObjectPlacement(
                id=f"{category}_{counts[category]}",
                category=category,
                model=models_of(category)[0].id,
                receptacle=receptacle,
                slot=counts[f"@{receptacle}"],
                yaw=(index * 700 + len(placements) * 1100) % 6283,
            )
        )
        counts.update([category, f"@{receptacle}"])
    return Episode(
        id=f"{SPLIT}/{index:06d}",
        split=SPLIT,
        template=template,
        phrasing=0,
        cluster=template,
        instruction=instruction,
        goal=goal,
        house=HOUSE,
        objects=tuple(placements),
        open=tuple(open_.split()),
        start=Start(x=x_mm, y=y_mm, yaw=500),
        plan=tuple(plan.split()),
        subgoals=tuple(subgoals.split()),
    )
