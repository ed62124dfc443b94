"""Every planted mistake in a template file: one sentence with place and remedy, nothing loaded."""

# ruff: noqa: E501 (the table of mistakes reads better in long lines)

from __future__ import annotations

from pathlib import Path

import pytest
from language_samples import SMALL_FILE, write

from langrearrange.errors import TemplateError
from langrearrange.language import load_lexicon, load_split, load_templates
from langrearrange.paths import templates_path

# what is written, what is planted instead, place of the mistake in the message, words of it
MISTAKES = {
    "misspelt slot": ("{the object} from {the source} for", "{the objct} from {the source} for",
                      "16:16", "slot 'objct', which is not declared; did you mean 'object'?"),
    "undeclared slot": ("for {the target}.", "for {the room}.",
                        "16:51", "slot 'room', which is not declared; accepted: object, source"),
    "unknown form": ("{the object} from {the source} for", "{an object} from {the source} for",
                     "16:16", "no form 'an'; accepted: {object}, {a object}"),
    "capital in a placeholder": ("{the object} from {the source} for", "{The object} from {the source} for",
                                 "16:16", "is not a placeholder; write {slot} or {form slot}"),
    "lone brace": ("would look nice.", "would look nice}.", "17:69", "a lone '}'"),
    "article before a slot": ("Fetch {the object}", "Fetch a {object}",
                              "16:16", "write {a object}, which chooses the right article"),
    "preposition before a slot": ("for {the target}.", "in {the target}.",
                                  "16:47", "write {in target}, which says 'in the fridge' but 'on the sofa'"),
    "no end": ("for {the target}.", "for {the target}", "16:63", "has no end; put '.', '?' or '!'"),
    "small beginning": ("Fetch {the", "fetch {the", "16:10", "begin it with a capital letter"),
    "not ASCII": ("would look nice.", "would look nic\u00e9.", "17:67", "is not printable ASCII"),
    "doubled blank": ("would look", "would  look", "17:9", "doubled blanks"),
    "phrasing lacks the goal's slot": ("for {the target}.", "for me.",
                                       "16:9", "does not mention 'target', which the goal needs"),
    "phrasing lacks another slot": ("Fetch {the object} from {the source}", "Fetch {the object}",
                                    "16:9", "does not mention 'source', which tells its texts apart"),
    "pronoun alone": ("Fetch {the object} from", "Fetch {it object} from",
                      "16:9", "does not mention 'object'"),
    "same phrasing twice": ('"{in target}, {the object} from {the source} would look nice."',
                            '"Fetch {the object} from {the source} for {the target}."',
                            "17:9", "repeats line 16; remove one"),
    "presupposition": ("place: object, on: source, count: 1", "place: object, count: 1",
                       "16:9", "supposes that there is one, but several may be in the flat"),
    "unknown category": ("[apple, scissors]", "[aple, scissors]",
                         "7:43", "unknown name 'aple'; did you mean 'apple'?"),
    "category twice": ("[apple, scissors]", "[apple, fruit]",
                       "7:50", "'fruit' repeats what is listed already"),
    "unknown set": ("[apple, scissors]", "trained", "7:42", "unknown set 'trained'; did you mean 'train'?"),
    "unknown receptacle": ("except: [sink]", "except: [fridge]",
                           "9:66", "unknown member to except 'fridge'; accepted: chair"),
    "nothing left": ("receptacles: surfaces, except: [sink]", "receptacles: [sink], except: [sink]",
                     "9:15", "nothing is left that the slot 'target' could be"),
    "unknown kind": ("kind: object,", "kind: thing,", "7:22", "unknown kind of slot 'thing'"),
    "kind missing": ("{kind: receptacle}\n      target: {kind: receptacle, r", "{}\n      target: {kind: receptacle, r",
                     "8:15", "lacks 'kind'; accepted: object, group"),
    "slot named like a thing": ("      object: {kind", "      apple: {kind", "7:7", "cannot be called 'apple'"),
    "unknown key": ("    concept: move\n", "    concpt: move\n", "5:5", "unknown key 'concpt' in template 'fetch'; did you mean 'concept'?"),
    "missing key": ("    concept: move\n", "", "5:5", "template 'fetch' lacks the key 'concept'"),
    "duplicate key": ("    concept: move\n", "    concept: move\n    concept: put\n",
                      "6:5", "'concept' is given twice in template 'fetch' (first on line 5)"),
    "duplicate template": ("  serve:\n", "  fetch:\n", "18:3", "'fetch' is given twice"),
    "bad name": ("  serve:\n", "  Serve it:\n", "18:3", "'Serve it' is an invalid identifier"),
    "newer schema": ("schema: 1", "schema: 2", "1:9", "its schema is '2', this version reads 1; upgrade langrearrange"),
    "unbalanced goal": ("(hand_free)))\"", "(hand_free))\"", "14:12", "in the goal of 'fetch'"),
    "unknown predicate": ("(hand_free)))\"", "(hand_fre)))\"", "14:63", "did you mean 'hand_free'?"),
    "goal without the hand": ("(on_top ?x {target}) (hand_free)))\"", "(on_top ?x {target})))\"",
                              "14:11", "add (hand_free)"),
    "goal that does not count": ("(exists (?x - {object}) (and (on_top ?x {target})", "(exists (?x ?y - {object}) (and (on_top ?x {target}) (on_top ?y {target})",
                                 "14:11", "template 'fetch': one object could be both ?x and ?y of the goal; add (not (= ?x ?y)) in the scope of both, or 'same_object_ok: true'"),
    "group over the slot": ("(exists (?x - {object}) (and (on_top ?x {target})", "(exists (?x - {object} ?y - fruit) (and (on_top ?x {target}) (near ?y)",
                            "14:11", "one object could be both ?x and ?y"),
    "places that may be one": ("    distinct: [[source, target]]\n    start:\n      - {place: object, on: source, count: 1}\n      - {absent: object, on: target}\n    goal: \"(exists (?x - {object}) (and (on_top ?x {target})",
                               "    start:\n      - {place: object, on: source, count: 1}\n    goal: \"(exists (?x ?y - {object}) (and (on_top ?x {target}) (on_top ?y {source})",
                               "12:11", "one object could be both ?x and ?y"),
    "neither yes nor no": ("    concept: move\n", "    concept: move\n    same_object_ok: yes\n",
                           "6:21", "unknown answer 'yes'; accepted: true, false"),
    "goal with an undeclared slot": ("(on_top ?x {target}) (hand_free)))\"", "(on_top ?x {place}) (hand_free)))\"",
                                     "14:52", "the goal names the slot 'place', which is not declared"),
    "goal of the wrong sort": ("(on_top ?x {target}) (hand_free)))\"", "(on_top ?x {object}) (hand_free)))\"",
                               "14:52", "unknown receptacle 'scissors'"),
    "goal in a block": ("             (hand_free)))", "             (hand_fre)))", "26:15", "did you mean 'hand_free'?"),
    "goal beyond the work bound": ("(exists (?x - {object}) (and (on_top ?x {target}) (hand_free)))",
                                   "(forall (?x ?y ?z - object) (and (on_top ?x {target}) (on_top ?y sink) (on_top ?z sofa)))",
                                   "14:11", "unrolls to more than 20000 facts"),
    "folded goal": ("goal: |", "goal: >", "23:11", "a folded goal (>) loses its lines"),
    "goal over lines": ("(and (on_top ?x {target}) (hand_free)))\"", "(and (on_top ?x {target})\n      (hand_free)))\"",
                        "14:11", "runs over several lines"),
    "unknown fact": ("- {absent: object,", "- {missing: object,", "13:9", "unknown fact 'missing'"),
    "fact about no slot": ("- {absent: object,", "- {absent: apple,", "13:18", "unknown object slot 'apple'"),
    "fact about a receptacle slot": ("- {absent: object,", "- {absent: source,", "13:18", "unknown object slot 'source'"),
    "fact about no place": ("on: target}", "on: kitchen}", "13:30", "unknown receptacle or slot 'kitchen'"),
    "placed and absent": ("on: target}", "on: source}", "12:7", "would have to be placed and absent at once"),
    "could coincide": ("    distinct: [[source, target]]\n", "", "11:7", "add [source, target] under 'distinct:'"),
    "open and closed": ("      - {absent: object, on: target}\n",
                        "      - {fridge: open}\n      - {fridge: closed}\n", "12:7", "fridge would have to be open and closed"),
    "neither open nor closed": ("      - {absent: object, on: target}\n", "      - {fridge: ajar}\n",
                                "13:18", "unknown state 'ajar'; accepted: open, closed"),
    "distinct from itself": ("[[source, target]]", "[[source, source]]", "10:25", "cannot differ from itself"),
    "distinct of two sorts": ("[[source, target]]", "[[source, object]]", "10:25", "differ anyway"),
    "distinct of one": ("[[source, target]]", "[[source]]", "10:16", "two slots or more differ"),
    "distinct of nobody": ("[[source, target]]", "[[source, goal]]", "10:25", "unknown slot 'goal'"),
    "one value for two": ("{kind: receptacle}\n      target: {kind: receptacle, receptacles: surfaces, except: [sink]}",
                          "{kind: receptacle, receptacles: [sofa]}\n      target: {kind: receptacle, receptacles: [sofa]}",
                          "12:7", "no choice of values satisfies 'distinct:'"),
    "cluster": ("cluster: [purpose]", "cluster: [porpoise]", "27:15", "did you mean 'purpose'?"),
    "unquoted braces": ("- \"Fetch {the object} from {the source} for {the target}.\"", "- {the object} to {the target}.",
                        "16:22", 'not YAML: '),
    "placed twice": ("      - {absent: object, on: target}\n", "      - {place: object}\n", "12:7", "'object' is placed twice at the start; keep one"),
    "too long": ("Fetch {the object}", "Fetch " + "at once, " * 22 + "{the object}", "16:9", "characters long; accepted: 256"),
    "a single case": ("    cluster: [purpose]\n", "    cluster: [purpose]\n    cases:\n      open: [{fridge: open}]\n", "29:7", "a single case"),
    "no remark": ("    cluster: [purpose]\n", "    cluster: [purpose]\n    statements:\n      rain: {text: \"It rains.\"}\n", "31:9", "has no {statement}; put it where the remark belongs"),
    "remark that supposes": ("    cluster: [purpose]\n", "    cluster: [purpose]\n    statement_slots:\n      other: {kind: object}\n    statements:\n      rain: {text: \"Mind {the other}.\"}\n", "31:20", "supposes that there is one"),
    "remark slot twice": ("    cluster: [purpose]\n", "    cluster: [purpose]\n    statement_slots:\n      target: {kind: receptacle}\n", "29:7", "the slot 'target' is declared twice"),
    "list for a word": ("concept: move", "concept: [move]", "5:14", "expected one word or sentence here"),
    "nothing nowhere": ("- {absent: object, on: target}", "- {absent: anything}", "13:9", "nothing at all in the flat?"),
    "tab": ("    concept: move\n", "\tconcept: move\n", "5:1", "not YAML: "),
    "served and arguable": ("arguable: [bowl]", "arguable: [mug]", "21:58", "'mug' is meant anyway; remove it"),
    "served twice": ("serve: [cup, mug]", "serve: [cup, cup]", "21:42", "'cup' is listed twice"),
    "needs nothing": ("kind: need, serve: [cup, mug], arguable: [bowl]", "kind: need", "21:16", "lacks the key 'serve'"),
    "need in a sentence": ("The tea is ready.", "The tea, {the purpose}, is ready.", "29:19", "accepted: none, since no sentence names it"),
    "empty list": ("    phrasings:\n      - \"The tea", "    phrasings: []\n    x:\n      - \"The tea", "29:5", "unknown key 'x'"),
    "slots that could be one thing": ("mug], arguable: [bowl]}\n", "mug], arguable: [bowl]}\n      other: {kind: object}\n", "18:3", "could be the same thing; add [purpose, other]"),
}  # fmt: skip


def message(path: Path) -> str:
    with pytest.raises(TemplateError) as caught:
        load_templates(path)
    return str(caught.value)


def test_the_file_without_mistakes_loads(tmp_path: Path) -> None:
    file = load_templates(write(tmp_path, SMALL_FILE))
    assert [template.id for template in file.templates] == ["fetch", "serve"]
    assert file.split == "mine"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_place_and_remedy(mistake: str, tmp_path: Path) -> None:
    written, planted, place, words = MISTAKES[mistake]
    assert SMALL_FILE.count(written) == 1, "the table no longer fits the file"
    path = write(tmp_path, SMALL_FILE.replace(written, planted))
    told = message(path)
    assert told.startswith(f"{path}:{place}: ")
    assert words in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("goal", "more"),
    [
        ("?y - {object}) (and (not (= ?x ?y)) (on_top ?y {target})", ""),
        ("?y - {object}) (and (on_top ?y {source})", ""),  # distinct from {target}
        ("?y - ball) (and (on_top ?y {target})", ""),
        ("?y - {object}) (and (on_top ?y {target})", "    same_object_ok: true\n"),
    ],
)
def test_a_goal_that_counts_or_need_not_is_accepted(goal: str, more: str, tmp_path: Path) -> None:
    text = SMALL_FILE.replace("(exists (?x - {object}) (and", f"(exists (?x - {{object}} {goal}")
    text = text.replace("    concept: move\n", f"    concept: move\n{more}")
    template = load_templates(write(tmp_path, text)).template("fetch")
    assert template.same_object_ok is bool(more)


def test_phrasings_that_say_the_same_in_two_templates_are_refused(tmp_path: Path) -> None:
    copy = SMALL_FILE + "\n".join(
        ["  again:", "    concept: put", "    slots:", "      why: {kind: need, serve: [bowl]}",
         "      there: {kind: receptacle}",
         '    goal: "(exists (?x - {why}) (and (on_top ?x {there}) (hand_free)))"', "    phrasings:",
         '      - "The tea is ready. {in there}, I want something to drink it from."', ""]
    )  # fmt: skip
    assert "says the same as 'serve' on line 29" in message(write(tmp_path, copy))


def test_a_phrasing_that_can_be_read_as_another_one_is_refused(tmp_path: Path) -> None:
    more = "\n".join(
        ["  hidden:", "    concept: move", "    slots:",
         "      it_is: {kind: object, categories: [apple]}",
         '    goal: "(exists (?x - {it_is}) (near ?x))"', "    phrasings:",
         '      - "Fetch {a it_is} from the fridge for the sofa."', ""]
    )  # fmt: skip
    path = write(tmp_path, SMALL_FILE.replace("Fetch {the object}", "Fetch {a object}") + more)
    assert "can also be read as a sentence of template 'fetch' (line 16)" in message(path)


def test_values_with_the_same_words_are_refused(tmp_path: Path) -> None:
    lexicon = (templates_path() / "lexicon.yaml").read_text(encoding="utf-8")
    write(tmp_path, lexicon.replace("noun: plum\n", "noun: peach\n"), "lexicon.yaml")
    path = write(tmp_path, SMALL_FILE.replace("[apple, scissors]", "[plum, peach]"))
    assert "'plum' and 'peach' of 'object' are both said 'the peach'" in message(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  plum:\n", "  plumm:\n", "unknown key 'plumm' in 'categories'; did you mean 'plum'?"),
        ("    noun: plum\n", "", "the words for 'plum' lacks the key 'noun'"),
        ("also_fits: [scissors]", "also_fits: [knife]", "'knife' is meant anyway"),
        ("also_fits: [scissors]", "also_fits: [sword]", "unknown category 'sword'"),
        ('  sink: {noun: sink, in: "in"}', '  sink: {noun: sink, in: "at"}', "unknown preposition"),
    ],
)
def test_a_mistake_in_the_lexicon_is_told_with_its_place(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    text = (templates_path() / "lexicon.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = write(tmp_path, text.replace(old, new), "lexicon.yaml")
    with pytest.raises(TemplateError) as caught:
        load_lexicon(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


def test_missing_empty_and_foreign_files_are_told(tmp_path: Path) -> None:
    assert "cannot be read" in message(tmp_path / "nothing.yaml")
    assert "the file is empty" in message(write(tmp_path, "", "empty.yaml"))
    assert "must be a mapping" in message(write(tmp_path, "- a\n", "list.yaml"))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"schema: \xff\xfe")
    assert "byte 8 is not UTF-8" in message(binary)
    assert "there is no template" in message(
        write(tmp_path, "schema: 1\nsplit: a\ntemplates: {}\n", "none.yaml")
    )
    with pytest.raises(TemplateError, match="unknown split 'trian'; did you mean 'train'"):
        load_split("trian")


def test_words_that_yaml_would_change_stay_words(tmp_path: Path) -> None:
    """`on:` is not True and 012 is not 10: scalars are read as they stand."""
    path = write(tmp_path, SMALL_FILE.replace("count: 1}", "count: 01}"))
    file = load_templates(path)
    assert file.template("fetch").start[0].receptacle == "source"  # type: ignore[union-attr]


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL_FILE)
    first = load_templates(path)
    assert load_templates(str(path)) is first
    write(tmp_path, SMALL_FILE.replace("would look nice", "would look very nice"))
    second = load_templates(path)
    assert second.sha256 != first.sha256
    assert "very nice" in second.template("fetch").phrasings[1].text
