"""What a template must keep, at its edges: lengths, places in messages, facts that clash."""

from __future__ import annotations

from pathlib import Path

import pytest

from langrearrange.errors import TemplateError
from langrearrange.language import Template, load_templates
from langrearrange.language.lexicon import MAX_TEXT

FILE = """\
schema: 1
split: mine
templates:
  fetch:
    concept: move
    slots:
      object: {{kind: object, categories: [apple, scissors]}}
      other: {{kind: object, categories: [cup, mug]}}
      source: {{kind: receptacle, receptacles: [sofa, fridge]}}
      target: {{kind: receptacle, receptacles: [sink, chair]}}
    start: [{start}]
    goal: {goal}
    phrasings:
      - "{phrasing}"
"""
START = "{place: object, on: source}"
GOAL = '"(exists (?x - {object}) (and (on_top ?x {target}) (hand_free)))"'
PHRASING = "Fetch {the object} {off source} for {a other} and put {it object} {in target}."
GOAL_LINE = 12


def load(
    folder: Path, start: str = START, goal: str = GOAL, phrasing: str = PHRASING, more: str = ""
) -> Template:
    path = folder / "mine.yaml"
    path.write_text(FILE.format(start=start, goal=goal, phrasing=phrasing) + more)
    return load_templates(path).templates[0]


def told(folder: Path, **parts: str) -> str:
    with pytest.raises(TemplateError) as caught:
        load(folder, **parts)
    return str(caught.value).removeprefix(f"{folder / 'mine.yaml'}:")


# -- lengths -------------------------------------------------------------------------------------

LONG = "Fetch {the object} {off source}, yes, {off source}, for {a other} {in target}."
LONGEST = len(
    "Fetch the scissors out of the fridge, yes, out of the fridge, for a mug on the chair."
)


def test_the_longest_words_decide_whether_a_phrasing_is_too_long(tmp_path: Path) -> None:
    room = MAX_TEXT - LONGEST
    fits = LONG.replace("Fetch", "Fetch" + "h" * room)
    load(tmp_path, phrasing=fits)
    message = told(tmp_path, phrasing=fits.replace("Fetch", "Fetchh"))
    assert f"can become {MAX_TEXT + 1} characters long; accepted: {MAX_TEXT}" in message


def test_the_longest_remark_counts(tmp_path: Path) -> None:
    def remarks(length: int) -> str:
        return (
            '    statements:\n      short: {text: "It is late."}\n'
            f'      long: {{text: "O{"h" * (length - 2)}."}}\n'
        )

    phrasing = LONG + " {statement}"
    room = MAX_TEXT - LONGEST - 1
    load(tmp_path, phrasing=phrasing, more=remarks(room))
    message = told(tmp_path, phrasing=phrasing, more=remarks(room + 1))
    assert f"can become {MAX_TEXT + 1} characters" in message


# -- order ----------------------------------------------------------------------------------------

BOTH = (
    '"(exists (?x - {object} ?y - {other}) '
    '(and (on_top ?x {target}) (on_top ?y {target}) (hand_free)))"'
)
EITHER = '"(or (exists (?x - {object}) (near ?x)) (exists (?y - {other}) (near ?y)))"'
ORDERED = "Go {off source} to {the object}, {word} {a other}, and leave both {in target}."


@pytest.mark.parametrize("word", ["then", "After that,", "finally", "next", "once more", "last"])
def test_a_goal_without_order_is_not_told_in_order(tmp_path: Path, word: str) -> None:
    phrasing = ORDERED.replace("{word}", word)
    message = told(tmp_path, goal=BOTH, phrasing=phrasing)
    assert "tells an order between two things" in message
    assert "join them with 'and'" in message
    line, column = message.split(": ")[0].split(":")
    assert int(line) == GOAL_LINE + 2
    assert f'      - "{phrasing}"'[int(column) - 1 :].startswith(word.split()[0].rstrip(","))
    for goal in (GOAL, EITHER):  # one thing, or one of two
        load(tmp_path, goal=goal, phrasing=phrasing)


@pytest.mark.parametrize("word", ["at once", "athens", "and", "lasting", "thence"])
def test_words_that_tell_no_order_may_stay(tmp_path: Path, word: str) -> None:
    load(tmp_path, goal=BOTH, phrasing=ORDERED.replace("{word}", word))


# -- presuppositions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "unique"),
    [
        ("{place: object, on: source}", True),
        ("{place: object, on: source, count: 2}", False),
        ("{place: object}", False),
        ("{only: object}", True),
        ("{only: other}", False),
        ("{place: other, on: source}", False),
        ("{absent: object, on: target}", False),
        ("{fridge: open}", False),
        ("{absent: other, on: target}, {only: object}", True),
    ],
)
def test_the_thing_must_be_one(tmp_path: Path, start: str, unique: bool) -> None:
    if unique:
        load(tmp_path, start=start)
    else:
        message = told(tmp_path, start=start)
        assert "{the object} supposes that there is one, but several may be in the flat" in message
        assert message.startswith(f"{GOAL_LINE + 2}:9: ")


def test_only_the_definite_form_supposes_anything(tmp_path: Path) -> None:
    load(tmp_path, start="{fridge: open}", phrasing=PHRASING.replace("{the object}", "{a object}"))


# -- facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("{fridge: open}, {fridge: closed}", "fridge would have to be open and closed"),
        (f"{START}, {{place: object, count: 2}}", "'object' is placed twice"),
        (f"{START}, {{absent: object, on: source}}", "'object' would have to be placed and absent"),
        (f"{START}, {{absent: object}}", "'object' would have to be placed and absent"),
        (f"{START}, {{absent: anything, on: source}}", "placed and absent at once"),
        ("{place: object, on: sofa}, {absent: object, on: sofa}, {only: object}",
         "placed and absent at once"),
    ],
)  # fmt: skip
def test_facts_that_cannot_be_true_together(tmp_path: Path, start: str, words: str) -> None:
    assert words in told(tmp_path, start=start)


@pytest.mark.parametrize(
    "start",
    [
        "{fridge: open}, {left_drawer: closed}, {only: object}",
        "{fridge: open}, {fridge: open}, {only: object}",
        f"{START}, {{place: other, on: source}}",
        f"{START}, {{absent: other, on: source}}",
        f"{START}, {{absent: other}}",
        f"{START}, {{absent: object, on: target}}",
        f"{START}, {{absent: anything, on: target}}",
        "{place: object, on: sofa}, {absent: object, on: fridge}",
    ],
)
def test_facts_that_can_be_true_together(tmp_path: Path, start: str) -> None:
    load(tmp_path, start=start)


def test_places_that_may_coincide_must_be_told_apart(tmp_path: Path) -> None:
    start = f"{START}, {{absent: object, on: target}}"
    path = tmp_path / "mine.yaml"
    text = FILE.replace("[sink, chair]", "[sofa, chair]")
    path.write_text(text.format(start=start, goal=GOAL, phrasing=PHRASING))
    with pytest.raises(TemplateError, match="'source' and 'target' could be the same receptacle"):
        load_templates(path)
    apart = text.replace("    start:", "    distinct: [[source, target]]\n    start:")
    path.write_text(apart.format(start=start, goal=GOAL, phrasing=PHRASING))
    load_templates(path)


@pytest.mark.parametrize(("others", "clash"), [("[cup, mug]", False), ("[mug, apple]", True)])
def test_things_that_may_coincide_must_be_told_apart(
    tmp_path: Path, others: str, clash: bool
) -> None:
    path = tmp_path / "mine.yaml"
    text = FILE.replace("[cup, mug]", others)
    path.write_text(text.format(start=START, goal=GOAL, phrasing=PHRASING))
    if clash:
        with pytest.raises(TemplateError, match="'object' and 'other' could be the same thing"):
            load_templates(path)
    else:
        load_templates(path)


# -- goals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["on_tap", "(on_top ?y", "hand_fre"])
def test_a_mistake_in_a_goal_is_told_where_it_stands(tmp_path: Path, broken: str) -> None:
    """The place is that of the character in the file, before slots are filled in."""
    right = {"on_tap": "on_top", "(on_top ?y": "(on_top ?x", "hand_fre": "hand_free"}[broken]
    quoted = GOAL.replace(right, broken)
    line = f"    goal: {quoted}"
    place, rest = told(tmp_path, goal=quoted).split(": in the goal of 'fetch': ", 1)
    number, column = map(int, place.split(":"))
    assert number == GOAL_LINE
    assert rest
    here = line[column - 1 :]
    assert here.startswith((broken, "?y", "(on_top ?y")), here


def test_a_mistake_in_a_goal_over_lines_is_told_on_its_line(tmp_path: Path) -> None:
    goal = (
        "|\n"
        "      (exists (?x - {object})\n"
        "        (and (on_top ?x {target})\n"
        "             (hand_fre)))"
    )
    place, _ = told(tmp_path, goal=goal).split(": in the goal of 'fetch': ", 1)
    number, column = map(int, place.split(":"))
    assert number == GOAL_LINE + 3
    assert goal.split("\n")[3][column - 1 :].startswith("hand_fre")


def test_an_undeclared_slot_in_a_goal_over_lines_is_told_on_its_line(tmp_path: Path) -> None:
    goal = "|\n      (exists (?x - {object})\n        (and (on_top ?x {there}) (hand_free)))"
    message = told(tmp_path, goal=goal)
    assert "names the slot 'there', which is not declared" in message
    number, column = map(int, message.split(": ")[0].split(":"))
    assert number == GOAL_LINE + 2
    assert goal.split("\n")[2][column - 1 :].startswith("{there}")


@pytest.mark.parametrize(
    ("goal", "accepted"),
    [
        ('"(exists (?x - {object}) (on_top ?x {target}))"', False),
        ('"(exists (?x - {object}) (and (on_top ?x {target}) (holding ?x)))"', True),
        ('"(exists (?x - {object}) (and (near ?x) (robot_at {target})))"', True),
    ],
)
def test_a_goal_on_receptacles_speaks_of_the_hand(
    tmp_path: Path, goal: str, accepted: bool
) -> None:
    if accepted:
        load(tmp_path, goal=goal)
    else:
        assert "leaves out the hand; add (hand_free)" in told(tmp_path, goal=goal)


def test_every_slot_is_mentioned_and_the_message_shows_how(tmp_path: Path) -> None:
    for gone, shown in (
        ("{a other}", "mention 'other', which tells its texts apart; add {a other}"),
        ("{off source}", "mention 'source', which tells its texts apart; add {the source}"),
        ("{in target}", "mention 'target', which the goal needs; add {the target}"),
    ):
        assert shown in told(tmp_path, phrasing=PHRASING.replace(gone, "it"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cases", "{{{name}: [{{fridge: open}}], other: [{{fridge: closed}}]}}"),
        ("statements", '{{{name}: {{text: "It rains."}}}}'),
        ("statement_slots", "{{{name}: {{kind: receptacle}}}}"),
    ],
)
def test_names_of_cases_and_remarks_are_checked(tmp_path: Path, key: str, value: str) -> None:
    phrasing = PHRASING + " {statement}" * (key == "statements")

    def more(name: str) -> str:
        return f"    {key}: {value.format(name=name)}\n"

    load(tmp_path, phrasing=phrasing, more=more("fine"))
    for wrong in ("Fine", "not-fine", "1st"):
        message = told(tmp_path, phrasing=phrasing, more=more(wrong))
        assert f"'{wrong}'" in message
        assert "move_two" in message
