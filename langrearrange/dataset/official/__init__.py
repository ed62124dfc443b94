"""Reading the official release's pickled episodes safely, as episodes of ours without plans."""

from langrearrange.dataset.official.names import PREFIX, split_of
from langrearrange.dataset.official.pickle_data import DEFAULT_MAX_BYTES, Array, read_pickle
from langrearrange.dataset.official.records import (
    OfficialEpisode,
    OfficialFile,
    open_official,
)
from langrearrange.dataset.official.translate import translate
from langrearrange.dataset.official.wordings import phrasings, wording, words_of

__all__ = [
    "DEFAULT_MAX_BYTES",
    "PREFIX",
    "Array",
    "OfficialEpisode",
    "OfficialFile",
    "open_official",
    "phrasings",
    "read_pickle",
    "split_of",
    "translate",
    "wording",
    "words_of",
]
