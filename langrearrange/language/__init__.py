"""Templates to sentences and back: what can be said, and what exactly it means.

Not for flats, objects or plans: this room knows the words, not the world they are about.
"""

from langrearrange.language.grounding import Grounding
from langrearrange.language.lexicon import Lexicon, load_lexicon
from langrearrange.language.loader import load_split, load_templates
from langrearrange.language.readback import read_back
from langrearrange.language.schema import (
    Absent,
    Only,
    Openness,
    Place,
    Relation,
    StartCase,
    StartFact,
    Template,
    TemplateFile,
    TemplateSlot,
    Value,
)
from langrearrange.language.space import TextSpace
from langrearrange.language.statistics import (
    FileCount,
    TemplateCount,
    content_words,
    count_files,
    count_templates,
    distinct_phrasings,
    verb_lemmas,
    verb_of,
)

__all__ = [
    "Absent",
    "FileCount",
    "Grounding",
    "Lexicon",
    "Only",
    "Openness",
    "Place",
    "Relation",
    "StartCase",
    "StartFact",
    "Template",
    "TemplateCount",
    "TemplateFile",
    "TemplateSlot",
    "TextSpace",
    "Value",
    "content_words",
    "count_files",
    "count_templates",
    "distinct_phrasings",
    "load_lexicon",
    "load_split",
    "load_templates",
    "read_back",
    "verb_lemmas",
    "verb_of",
]
