"""How much the templates can say: concepts, phrasings, texts. Not for episodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    files: Iterable[TemplateFile] | None = None, relations: Sequence[Relation] = ()
) -> list[TemplateCount]:
    """Count what templates can say.

    Args:
        files: template files; all shipped ones by default.
        relations: those of the flats that relation slots are bound from.

    Returns:
        One row per template, in file order.
    """
    if files is None:
        files = [load_split(split) for split in dict.fromkeys(TEXTS_OF.values())]
    return [_count(file, template, relations) for file in files for template in file.templates]


def _count(file: TemplateFile, template: Template, relations: Sequence[Relation]) -> TemplateCount:
    remarks = [statement for statement in template.statements if statement.segments]
    known = bool(relations) or not template.needs_relations
    return TemplateCount(
        split=file.split,
        template=template.id,
        concept=template.concept,
        num_phrasings=len(template.phrasings),
        num_statements=len(remarks),
        num_texts=len(TextSpace(template, relations)) if known else None,
    )


def distinct_phrasings(files: Iterable[TemplateFile] | None = None) -> int:
    """Return how many different phrasings there are, counted once where splits share one.

    The paper has 282 (its Table 4); ours are counted as they are written, slot kinds included.
    """
    if files is None:
        files = [load_split(split) for split in dict.fromkeys(TEXTS_OF.values())]
    seen = set()
    for file in files:
        for template in file.templates:
            for phrasing in template.phrasings:
                kinds = tuple(
                    segment.text or (segment.form, template.kind(segment.slot))
                    for segment in phrasing.segments
                )
                seen.add(kinds)
    return len(seen)
