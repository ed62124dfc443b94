"""How much the templates can say: concepts, phrasings, texts. Not for episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

    The paper has 282 (its Table 4); ours are counted as they are written, slot kinds included.
    """
    seen = {
        tuple(part.text or (part.form, template.kind(part.slot)) for part in phrasing.segments)
        for file in files or _shipped()
        for template in file.templates
        for phrasing in template.phrasings
    }
    return len(seen)
