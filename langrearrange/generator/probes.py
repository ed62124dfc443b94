"""Probes: does a household tell what its sentence is about, or a sentence what is hidden?

Simple learners guess on fresh episodes; their lift over chance must be nothing. Each sees either
the household without the sentence or the sentence without the household. Needs scikit-learn (extra
`analysis`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from langrearrange.errors import MissingExtraError
from langrearrange.generator.probe_data import (
    Array,
    ProbeData,
    chosen,
    fresh_spec,
    joined,
    probe_rows,
)
from langrearrange.generator.spec import SplitSpec
from langrearrange.generator.workers import map_ranges, ranges
from langrearrange.progress import progress
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world.vocabulary import NUM_CATEGORIES

MAX_LIFT: Final = 0.01
NUM_EPISODES: Final = 20_000
RANGE: Final = 500
_WRONG: Final = 5
"""Wrong candidates for each right one that trees are trained on: the ranking stays, time falls."""


@dataclass(frozen=True, slots=True)
class Lift:
    """How much better than chance a probe guesses.

    Attributes:
        split: name of the split.
        task: what is guessed: target (which thing), source (where it stands) or case.
        probe: who guesses: `most` copies, `linear`, `trees` (households) or `words` (sentences).
        num_episodes: on how many episodes it was tested.
        chance: accuracy of guessing without looking: by what is possible and how often it is right.
        lift: accuracy above that.
        half_width: of its 95 % interval.
        p_value: of a lift like this where there is none (one-sided).
    """

    split: str
    task: str
    probe: str
    num_episodes: int
    chance: float
    lift: float
    half_width: float
    p_value: float


def probe_split(
    split: str | SplitSpec, num_episodes: int = NUM_EPISODES, workers: int | None = 1
) -> list[Lift]:
    """Train probes on fresh episodes of a split and test them on as many others.

    Args:
        split: name of a published split, or a spec with twice that many episodes.
        num_episodes: to train on, and to test on.
        workers: processes that draw episodes; None for one per available core.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require_sklearn()
    spec = fresh_spec(split, 2 * num_episodes) if isinstance(split, str) else split
    name, found = split if isinstance(split, str) else split.name, []
    with progress(f"draw {name}", 2 * num_episodes) as advance:
        tasks = [
            *ranges(num_episodes, RANGE),
            *((num_episodes + a, num_episodes + b) for a, b in ranges(num_episodes, RANGE)),
        ]
        parts = dict(map_ranges(partial(probe_rows, spec), tasks, workers, advance))
    train, test = (
        joined([part for start, part in sorted(parts.items()) if (start < num_episodes) == first])
        for first in (True, False)
    )
    jobs = (_of_households, _of_sentences, _of_cases)
    with progress(f"probe {name}", len(jobs), "tasks") as advance:
        for job in jobs:
            found += [_lift(name, *guessed) for guessed in job(train, test)]
            advance(1, "")
    return found


def require_sklearn() -> None:
    """Raise MissingExtraError when scikit-learn is not installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise MissingExtraError("check --probes", "analysis", "sklearn") from None


def _lift(split: str, task: str, probe: str, hits: Array, chance: Array) -> Lift:
    """Compare two guesses on the same episodes: paired, so that their noise cancels."""
    gain = hits.astype(float) - chance
    error = float(gain.std(ddof=1)) / math.sqrt(len(gain))
    p_value = 0.5 * math.erfc(float(gain.mean()) / max(error, 1e-12) / math.sqrt(2))
    mean, base = float(gain.mean()), float(chance.mean())
    return Lift(split, task, probe, len(gain), base, mean, 1.96 * error, p_value)


# -- households without their sentence: which thing, and where ------------------------------------


def _of_households(train: ProbeData, test: ProbeData) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield (task, probe, hits, hits of chance) for target and source."""
    train, test = chosen(train, train.asked), chosen(test, test.asked)
    if not len(train.texts) or not len(test.texts):
        return
    base = test.possible
    for probe, score in _guesses(train, test):
        score = np.where(test.present, score, 0.0)
        yield "target", probe, _right(test.targets, score), _right(test.targets, base)
        if test.hidden.any():
            found, by_chance = (_by_place(test, values) for values in (score, base))
            hits, chance = _right(_where(test), found), _right(_where(test), by_chance)
            yield "source", probe, hits[test.hidden], chance[test.hidden]


def _fit_linear(train: Array, labels: Array, test: Array, num_classes: int) -> Array:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scores = np.zeros((len(test), num_classes))
    if len(set(labels)) == 1:
        scores[:, labels[0]] = 1
        return scores
    scaler = StandardScaler().fit(train)
    model = LogisticRegression(C=0.01, max_iter=200).fit(scaler.transform(train), labels)
    scores[:, model.classes_] = model.predict_proba(scaler.transform(test))
    return scores


def _guesses(train: ProbeData, test: ProbeData) -> Iterator[tuple[str, Array]]:
    """Yield (probe, float[N, C]): how likely each category there is what the sentence is about."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    yield "most", np.where(test.possible > 0, test.candidates[:, :, 0], 0)
    rng = np.random.default_rng(KeyedRng(HOUSE_VERSION, "probe").below(1 << 32))
    wrong = train.present & ~train.targets
    share = _WRONG * train.targets.sum() / max(1, wrong.sum())
    rows = train.targets | (wrong & (rng.random(wrong.shape) < share))
    trees = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=16, early_stopping=False, random_state=0
    )
    models = {
        "linear": make_pipeline(StandardScaler(), LogisticRegression(C=0.01)),
        "trees": trees,
    }
    for probe, model in models.items():
        model.fit(_rows(train, rows), train.targets[rows])
        scores = np.zeros(test.present.shape)
        scores[test.present] = model.predict_proba(_rows(test, test.present))[:, 1]
        yield probe, scores


def _rows(data: ProbeData, wanted: Array) -> Array:
    """Return float32[n, .]: a candidate's category, looks and chance, and what else there is."""
    episodes, categories = np.nonzero(wanted)
    which = np.eye(NUM_CATEGORIES, dtype=np.float32)[categories]
    chance = data.possible[wanted][:, None]
    return np.hstack([which, chance, data.candidates[wanted], data.candidates[episodes, :, 0]])


def _by_place(data: ProbeData, scores: Array) -> Array:
    """Return float[N, R]: how likely the thing stands where, from how likely it is which."""
    counts = data.candidates[:, :, 2 : 2 + data.places.shape[2]]
    shares = counts / np.maximum(1, data.candidates[:, :, :1])
    found: Array = np.einsum("nc,ncr->nr", scores, shares)
    return found


def _where(data: ProbeData) -> Array:
    """Return bool[N, R]: where the sentence's thing stands."""
    return np.asarray((data.places & data.targets[:, :, None]).any(1))


def _right(truth: Array, scores: Array) -> Array:
    """Return float[N]: is the best guess right? Among equally good ones, how often."""
    best = scores >= scores.max(1, keepdims=True)
    found: Array = (truth & best).sum(1) / best.sum(1)
    return found


# -- sentences without their household: where the thing is, and which case it is -------------------


def _of_sentences(train: ProbeData, test: ProbeData) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield hits for the source, guessed from the words alone."""
    train, test = chosen(train, train.hidden), chosen(test, test.hidden)
    if not len(train.texts) or not len(test.texts):
        return
    where = [_where(data) for data in (train, test)]
    allowed = ~train.ruled_out
    rate = (where[0] & allowed).sum(0) / np.maximum(1, allowed.sum(0))
    base = np.where(test.ruled_out, 0.0, rate)
    words = _words(train, test)
    score = _fit_linear(words[0], where[0].argmax(1), words[1], where[0].shape[1])
    yield "source", "words", _right(where[1], score), _right(where[1], base)


def _of_cases(train: ProbeData, test: ProbeData) -> Iterator[tuple[str, str, Array, Array]]:
    """Yield hits for the start case (branch, count), from the words alone."""
    train, test = chosen(train, train.cases >= 0), chosen(test, test.cases >= 0)
    if not len(train.texts) or not len(test.texts):
        return
    num_cases = int(train.cases.max()) + 1
    truth = np.eye(num_cases, dtype=bool)[np.minimum(test.cases, num_cases - 1)]
    counts = np.zeros((int(train.templates.max()) + 1, num_cases))
    np.add.at(counts, (train.templates, train.cases), 1)
    base = counts[test.templates]
    known, asked = _words(train, test)
    score = _fit_linear(known, train.cases, asked, num_cases)
    yield "case", "words", _right(truth, score), _right(truth, base)


def _words(train: ProbeData, test: ProbeData) -> tuple[Any, Any]:
    """Return which of the words of training each sentence has, for training and test."""
    from sklearn.feature_extraction.text import CountVectorizer

    bag = CountVectorizer(binary=True, token_pattern=r"[\w']+", dtype=np.float32)
    return bag.fit_transform(train.texts).toarray(), bag.transform(test.texts).toarray()
