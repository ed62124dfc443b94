"""Student's t distribution: distribution function and quantile. Standard library only."""

from __future__ import annotations

import math
from functools import lru_cache

_ROUNDS = 300


def t_cdf(value: float, degrees: float) -> float:
    """Return P(T <= value) for Student's t with `degrees` > 0 degrees of freedom.

    Source: Abramowitz and Stegun 26.7.1, through the regularised incomplete beta function.
    """
    if degrees <= 0:
        raise ValueError(f"degrees of freedom must be positive, got {degrees}")
    tail = 0.5 * _incomplete_beta(degrees / (degrees + value * value), degrees / 2, 0.5)
    return 1 - tail if value > 0 else tail


@lru_cache(maxsize=256)
def t_quantile(probability: float, degrees: float) -> float:
    """Return the value that T exceeds with probability 1 - `probability`, by bisection.

    Accurate to 1e-12 relative; `probability` in (0, 1).
    """
    if not 0 < probability < 1:
        raise ValueError(f"a quantile needs a probability in (0, 1), got {probability}")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while t_cdf(high, degrees) < probability:
        high *= 2
    while high - low > 1e-12 * max(1.0, high):
        middle = (low + high) / 2
        if t_cdf(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):  # where the fraction converges fast
        return front * _beta_fraction(x, a, b) / a
    return 1 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method.

    Needs no guard against denominators near 0 where x < (a + 1) / (a + b + 2) and a or b is 1/2.
    """
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        factor = 1.0
        for term in (even, odd):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            factor = d * c
            result *= factor
        if abs(factor - 1) < 1e-15:
            break
    return result
