"""Probes: are targets predictable from households alone, or hidden facts from sentences alone?

Simple learners are trained and tested on fresh episodes; none may be more accurate than chance.
Each sees either the household or the sentence. Needs scikit-learn (extra `analysis`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from langrearrange.errors import MissingExtraError
from langrearrange.generator.probe_data import (
    MAX_CASES,
    NUM_COUNTS,
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
Guesses = Iterator[tuple[str, str, Array, Array]]
"""(task, probe, hits, hits of chance) of each probe, float[N] both."""


@dataclass(frozen=True, slots=True)
class Lift:
    """Accuracy of a probe above chance.

    Attributes:
        split: name of the split.
        task: what is predicted: target (which category), source (on which receptacle), case (start
            case: branch of a condition, or number of objects).
        probe: the predictor: `most` copies, `linear`, `trees` (households) or `words` (sentences).
        num_episodes: how many it was tested on.
        chance: accuracy of a prediction from what the template's sentences can mean alone.
        lift: accuracy above that.
        half_width: of its 95 % interval.
        p_value: one-sided, of the hypothesis that there is no lift.
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

    If the interval of a probe of sentences is wider than `MAX_LIFT` on either side, all are tested
    on twice as many.

    Args:
        split: name of a published split, or a spec with three times that many episodes.
        num_episodes: to train on, and to test on.
        workers: processes that draw episodes; None for one per available core.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require_sklearn()
    spec = fresh_spec(split, 3 * num_episodes) if isinstance(split, str) else split
    name = split if isinstance(split, str) else split.name

    def draw(start: int) -> ProbeData:
        tasks = [(start + first, start + last) for first, last in ranges(num_episodes, RANGE)]
        with progress(f"draw {name}", num_episodes) as advance:
            parts = sorted(map_ranges(partial(probe_rows, spec), tasks, workers, advance))
        return joined([part for _, part in parts])

    def lifts(test: ProbeData, *probes: Callable[[ProbeData, ProbeData], Guesses]) -> list[Lift]:
        return [_lift(name, *guess) for probe in probes for guess in probe(train, test)]

    train, test = draw(0), draw(num_episodes)
    found = lifts(test, _of_sentences, _of_cases)
    if any(lift.half_width > MAX_LIFT for lift in found):
        test = joined([test, draw(2 * num_episodes)])
        found = lifts(test, _of_sentences, _of_cases)
    return lifts(test, _of_households) + found


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


# -- households without their sentence: which object, and where -----------------------------------


def _of_households(train: ProbeData, test: ProbeData) -> Guesses:
    """Yield hits for target and source."""
    train, test = chosen(train, train.asked), chosen(test, test.asked)
    if not len(train.texts) or not len(test.texts):
        return
    base = test.possible
    for probe, score in _target_scores(train, test):
        score = np.where(test.present, score, 0.0)
        yield "target", probe, _right(test.targets, score), _right(test.targets, base)
        if test.hidden.any():
            found, by_chance = (_by_place(test, values) for values in (score, base))
            hits, chance = _right(_where(test), found), _right(_where(test), by_chance)
            yield "source", probe, hits[test.hidden], chance[test.hidden]


def _target_scores(train: ProbeData, test: ProbeData) -> Iterator[tuple[str, Array]]:
    """Yield (probe, float[N, C]): how likely each present category is the target."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    yield "most", np.where(test.possible > 0, test.candidates[:, :, 0], 0)
    rng = np.random.default_rng(KeyedRng(HOUSE_VERSION, "probe").below(1 << 32))
    wrong = train.present & ~train.targets
    share = _WRONG * train.targets.sum() / max(1, wrong.sum())
    rows = train.targets | (wrong & (rng.random(wrong.shape) < share))
    known, asked = _candidate_rows(train, rows), _candidate_rows(test, test.present)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    for probe, model in {"linear": linear, "trees": _trees()}.items():
        scores = np.zeros(test.present.shape)
        scores[test.present] = model.fit(known, train.targets[rows]).predict_proba(asked)[:, 1]
        yield probe, scores


def _trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=16, early_stopping=False, random_state=0
    )


def _candidate_rows(data: ProbeData, wanted: Array) -> Array:
    """Return float32[n, .]: a candidate's category, chance and looks, and its household."""
    episodes, categories = np.nonzero(wanted)
    which = np.eye(NUM_CATEGORIES, dtype=np.float32)[categories]
    own = [which, data.possible[wanted][:, None], data.candidates[wanted]]
    of_all = [data.household, data.opened, data.candidates[:, :, 0]]
    return np.hstack([*own, *(values[episodes] for values in of_all)]).astype(np.float32)


def _by_place(data: ProbeData, scores: Array) -> Array:
    """Return float[N, R]: how likely the target stands where, from how likely each category is."""
    counts = data.candidates[:, :, 2:NUM_COUNTS]
    shares = counts / np.maximum(1, data.candidates[:, :, :1])
    found: Array = np.einsum("nc,ncr->nr", scores, shares)
    return found


def _where(data: ProbeData) -> Array:
    """Return bool[N, R]: where the targets stand."""
    return np.asarray((data.places & data.targets[:, :, None]).any(1))


def _right(truth: Array, scores: Array) -> Array:
    """Return float[N]: whether the best-scored class is true; of equally good ones, the share."""
    best = scores >= scores.max(1, keepdims=True)
    found: Array = (truth & best).sum(1) / best.sum(1)
    return found


# -- sentences without their household: where the object is ----------------------------------------


def _of_sentences(train: ProbeData, test: ProbeData) -> Guesses:
    """Yield hits for the source, predicted from the words alone."""
    train, test = chosen(train, train.hidden), chosen(test, test.hidden)
    if not len(train.texts) or not len(test.texts):
        return
    where = [_where(data) for data in (train, test)]
    allowed = ~train.ruled_out
    rate = (where[0] & allowed).sum(0) / np.maximum(1, allowed.sum(0))
    base = np.where(test.ruled_out, 0.0, rate)
    score = _fit_linear(*_words(train, test), where[0].argmax(1), where[0].shape[1])
    yield "source", "words", _right(where[1], score), _right(where[1], base)


def _fit_linear(train: Array, test: Array, labels: Array, num_classes: int) -> Array:
    """Return float[N, num_classes]: probabilities by a linear classifier."""
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


def _words(train: ProbeData, test: ProbeData) -> tuple[Any, Any]:
    """Return which of the words of training each sentence has, for training and test."""
    from sklearn.feature_extraction.text import CountVectorizer

    bag = CountVectorizer(binary=True, token_pattern=r"[\w']+", dtype=np.float32)
    return bag.fit_transform(train.texts).toarray(), bag.transform(test.texts).toarray()


# -- either alone: which start case (branch, or number of objects) ---------------------------------


def _of_cases(train: ProbeData, test: ProbeData) -> Guesses:
    """Yield hits for the start case, from the words and from the household."""
    train, test = chosen(train, train.cases >= 0), chosen(test, test.cases >= 0)
    if not len(train.texts) or not len(test.texts):
        return
    truth = np.eye(MAX_CASES, dtype=bool)[test.cases]
    score = _fit_linear(*_words(train, test), train.cases, MAX_CASES)
    yield "case", "words", _right(truth, score), _right(truth, test.case_chance > 0)
    scores = np.zeros(truth.shape)
    for template in sorted({*train.templates}):
        known, asked = train.templates == template, test.templates == template
        model = _trees().fit(_household_rows(train)[known], train.cases[known])
        scores[np.ix_(asked, model.classes_)] = model.predict_proba(_household_rows(test)[asked])
    yield "case", "trees", _right(truth, scores), _right(truth, test.case_chance)


def _household_rows(data: ProbeData) -> Array:
    """Return float32[N, .]: a household but for what is open, which decides some start cases."""
    copies = data.candidates[:, :, 0]
    same = np.stack([(copies == number).sum(1) for number in range(1, 5)], 1)
    return np.hstack([data.household, data.case_chance, copies, same]).astype(np.float32)
