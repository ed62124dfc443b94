"""How much the templates can say: concepts, phrasings, texts, words. Not for episodes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langrearrange.language.loader import TEXTS_OF, load_split
from langrearrange.language.schema import Relation, Template, TemplateFile
from langrearrange.language.space import TextSpace


@dataclass(frozen=True, slots=True)
class TemplateCount:
    """What one template can say.

    Attributes:
        split: name of the template file.
        template: id of the template.
        concept: which of the paper's concepts it is.
        num_phrasings: ways to say it.
        num_statements: remarks it may carry, 0 for none.
        num_texts: distinct sentences; None where that depends on the flats' relations.
    """

    split: str
    template: str
    concept: str
    num_phrasings: int
    num_statements: int
    num_texts: int | None


def count_templates(
    files: Sequence[TemplateFile] = (), relations: Sequence[Relation] = ()
) -> list[TemplateCount]:
    """Count what templates can say.

    Args:
        files: template files; all shipped ones by default.
        relations: those of the flats that relation slots are bound from.

    Returns:
        One row per template, in file order.
    """
    return [
        _count(file, template, relations)
        for file in files or _shipped()
        for template in file.templates
    ]


@dataclass(frozen=True, slots=True)
class FileCount:
    """What one template file can say.

    Attributes:
        split: name of the template file.
        num_phrasings: different ways to say things.
        num_words: different words, see `content_words`.
        num_verbs: different verbs of training among them, see `verb_lemmas`.
        num_texts: distinct sentences.
    """

    split: str
    num_phrasings: int
    num_words: int
    num_verbs: int
    num_texts: int


def count_files(
    files: Sequence[TemplateFile] = (), relations: Sequence[Relation] = ()
) -> list[FileCount]:
    """Count what template files can say, with arguments as of `count_templates`."""
    return [
        FileCount(
            file.split,
            distinct_phrasings([file]),
            len(content_words([file])),
            len(verb_lemmas([file])),
            sum(row.num_texts or 0 for row in count_templates([file], relations)),
        )
        for file in files or _shipped()
    ]


def _shipped() -> list[TemplateFile]:
    return [load_split(split) for split in dict.fromkeys(TEXTS_OF.values())]


def _count(file: TemplateFile, template: Template, relations: Sequence[Relation]) -> TemplateCount:
    known = bool(relations) or not template.needs_relations
    return TemplateCount(
        split=file.split,
        template=template.id,
        concept=template.concept,
        num_phrasings=len(template.phrasings),
        num_statements=sum(bool(statement.segments) for statement in template.statements),
        num_texts=len(TextSpace(template, relations)) if known else None,
    )


def distinct_phrasings(files: Sequence[TemplateFile] = ()) -> int:
    """Return how many different phrasings there are, counted once where splits share one.

    The paper has 282 (its Table 4). Ours are told apart by their words alone: names and kinds of
    slots, which no sentence shows, do not count.
    """
    seen = {
        tuple(part.text or (part.form,) for part in phrasing.segments)
        for file in files or _shipped()
        for template in file.templates
        for phrasing in template.phrasings
    }
    return len(seen)


FILLERS: Final = frozenset(
    "please kindly just now simply really quickly too also still both ok okay hey oh".split()
)
"""Words that a sentence may lose without meaning anything else."""
MASKED: Final = frozenset("fridge fridges drawer drawers door doors handle handles".split())
"""Names of what opens, as phrasings write them."""
_VERBS: Final = """\
ask asking;be am are is was;beep beeping;bet;borrow;bring bringing;buy buying;call calling;carry;\
change changed;choose;clean;close closed closing;come comes;cook;decide;defrost;drive;exchange;\
find found;fix;follow;forget forgot;gather;get gets getting;give;go goes going;have has;hear;help;\
hurry;keep keeping;know;lead;leave leaving left;let;like;look looking;lose lost;make;mind;\
move moved moving;need needs;open opening;pick;place;press;promise promised;put putting;\
reach reaching;relocate;remember;remove;repair;rest;return;run;save;search;\
see seeing seen;show;spoil;stand;start;stay stays;step;stop;swap swapped swapping;switch;\
take taken taking;talk;tell;think;trade;try;wait waiting;walk;want wants;waste;wonder;worry"""
"""Verbs of the training sentences and the forms in which they stand there."""
LEMMA_OF: Final = {form: forms.split()[0] for forms in _VERBS.split(";") for form in forms.split()}
"""Form of a verb of training -> the verb."""
_MORE_VERBS: Final = """\
acquire aid allocate arrange arrive assign assist assume attend bake bend bite bounce break build \
burn chase check click collect confuse consist convey correct cover crave cut deliver depend \
deposit designate detach direct discover displace dissolve do drink drip drop earn eat engage \
ensure escape execute expect explore extract facilitate fall fasten feel fetch fill float fry grab \
grease growl hang haul hit hold hope hunt implement indicate intend interchange jam join kick \
knock lack lay lick lie lift locate love mean measure meet melt misplace miss mix navigate notice \
nudge obtain pack paint pay peek peel perform play poke pour prepare prevent print proceed \
procure prove provide pull push rearrange receive rectify remain replace reposition require \
retrieve reverse rise roast roll rub say scoop scout scrub seal secure seek separate serve set \
shift shop shut slice smear snap snatch soak solve specify spend spill splash squeeze squirt stain \
stick stir suit taste tear throw tidy tighten toast touch transfer transport travel trim trust tug \
turn twist unlatch unpack unseat use visit wash wobble work wrap""".split()
"""Verbs of the other sets, the official release's among them, as far as they are seldom nouns."""
_VERB_OF: Final = {
    form: verb
    for verb in {*_MORE_VERBS, *LEMMA_OF.values()}
    for stem in {verb, verb.removesuffix("e"), verb + verb[-1], verb.removesuffix("y") + "i"}
    for form in (verb, f"{verb}s", f"{stem}es", f"{stem}ed", f"{stem}ing")
} | LEMMA_OF


def verb_of(word: str) -> str:
    """Return the verb of which a word of the shipped or released sets is a form; "" if of none."""
    return _VERB_OF.get(word, "")


def content_words(files: Sequence[TemplateFile] = ()) -> frozenset[str]:
    """Return the different words of the sentences, without the names of things and places.

    Neither `FILLERS` count, nor fridge, drawers, their doors and handles. Articles, pronouns and
    prepositions that placeholders bring count.
    """
    found: set[str] = set()
    for template in (template for file in files or _shipped() for template in file.templates):
        slots = {slot.name: slot for slot in template.all_slots}
        parts = [p for phrasing in template.phrasings for p in phrasing.segments]
        for part in {*parts, *(p for s in template.statements for p in s.segments)}:
            found |= _words(part.text)
            if part.slot in slots:
                named = slots[part.slot].kind in ("object", "receptacle")
                for value in slots[part.slot].domain:
                    names = [value.forms.get(f, "") for f in ("", "plural", "another") if named]
                    found |= _words(value.forms[part.form]) - _words(" ".join(names))
    return frozenset(found - FILLERS - MASKED)


def verb_lemmas(files: Sequence[TemplateFile] = ()) -> frozenset[str]:
    """Return which of the verbs of training occur in the sentences, each once for all its forms."""
    return frozenset(LEMMA_OF[word] for word in content_words(files) & LEMMA_OF.keys())


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text.lower()))
