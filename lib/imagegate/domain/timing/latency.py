"""How long an upstream takes, learned from what its poller has seen. Pure: time comes in as numbers (seconds)."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Any, Self

LONGEST = 86_400.0
"""Seconds; longer times are not distinguished."""
MEMORY = 200
"""Observations after which an old one has faded to 1/e of its weight."""
EXPECTED_SECONDS = 20.0
"""Median of the prior for a provider that says nothing about itself."""

_SHORTEST = 0.1
_PER_OCTAVE = 16
_BUCKETS = math.ceil(math.log2(LONGEST / _SHORTEST) * _PER_OCTAVE) + 1
_EDGES = (0.0, *(_SHORTEST * 2 ** (k / _PER_OCTAVE) for k in range(_BUCKETS - 1)), LONGEST)
_TINY = 1e-12  # a share below this drowns in floating point
_NEGLIGIBLE = 1e-3  # a bucket's weight below this is forgotten

_PRIOR_WEIGHT = 4.0  # observations the prior is worth; each real one takes from it
_PRIOR_SIGMA = 1.0  # of its log-normal: 68 % within a factor of e
_PRIOR_ANYWHERE = 0.1  # share spread over all magnitudes, for unexpected durations

# Fewer observations than this tell nothing about the shape within an interval, unless it is very wide.
_GRAIN = 8.0
_WIDEST = 2**0.5

# Polls at the same moments would only confirm where the histogram assumes that jobs end in between. So part of each
# observation is spread evenly: an assumption without polls fades, which causes polls (benchmarks/schedule.py).
_DOUBT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """A distribution of completion times, tabulated at edges (seconds, from 0 to LONGEST) and linear in between."""

    edges: tuple[float, ...]
    density: tuple[float, ...]
    """Share per second between an edge and the next, never 0; one shorter than the others."""
    survival: tuple[float, ...]
    """Share that takes longer than the edge."""
    waited: tuple[float, ...]
    """Integral of the survival from 0 to the edge."""
    effort: tuple[float, ...]
    """Integral of sqrt(density * survival) from the edge on: what watching the rest closely costs."""

    def bucket(self, seconds: float) -> int:
        """Index of the interval that holds `seconds` (>= 0)."""
        return min(bisect_right(self.edges, seconds), len(self.density)) - 1

    def at(self, bucket: int, seconds: float) -> tuple[float, float, float]:
        """Survival, waited and effort at `seconds`, which lies in `bucket` (or beyond the last)."""
        density, end = self.density[bucket], self.survival[bucket + 1]
        past = seconds - self.edges[bucket]
        alive = max(self.survival[bucket] - density * past, end)
        left = max(self.edges[bucket + 1] - seconds, 0.0) * math.sqrt(density * (alive + end) / 2)
        return alive, self.waited[bucket] + (self.survival[bucket] + alive) / 2 * past, self.effort[bucket + 1] + left

    def reaching(self, survival: float) -> float:
        """Seconds at which the survival has fallen to `survival` (0 … 1)."""
        bucket = bisect_right(self.survival, -survival, 1, len(self.density), key=lambda share: -share) - 1
        return self.edges[bucket] + max(self.survival[bucket] - survival, 0.0) / self.density[bucket]


@dataclass(frozen=True)
class Histogram:
    """Completion times of one provider and model: decayed counts in log-spaced buckets, over a wide prior."""

    expected_seconds: float = EXPECTED_SECONDS
    """Median of the prior: what the provider is said to take."""
    weights: tuple[tuple[int, float], ...] = ()
    """Buckets and their weights in observations, ascending; absent means 0."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any], expected_seconds: float = EXPECTED_SECONDS) -> Self:
        """Back from `to_document`; the prior is the provider's, and not stored."""
        weights = ((int(bucket), float(weight)) for bucket, weight in document["weights"].items())
        return cls(expected_seconds, tuple(sorted(weights)))

    def to_document(self) -> dict[str, Any]:
        """As JSON, about 2 KB, never above 6: `{"weights": {"<bucket>": <observations>}}`."""
        return {"weights": {str(bucket): weight for bucket, weight in self.weights}}

    @property
    def count(self) -> float:
        """Observations remembered, after decay: 0 … MEMORY."""
        return math.fsum(weight for _, weight in self.weights)

    def with_observation(self, seconds: float) -> Self:
        """With a completion at exactly `seconds`, as from streams and upstreams that keep the time."""
        return self._with({min(bisect_right(_EDGES, max(seconds, 0.0)), _BUCKETS) - 1: 1.0})

    def observed_between(self, earlier: float, later: float) -> Self:
        """With a completion after the poll at `earlier` seconds and before the one at `later`."""
        return self._seen(max(earlier, 0.0), min(later, LONGEST), _DOUBT)

    def censored(self, seconds: float) -> Self:
        """With a job given up unfinished at `seconds`: it takes longer, and the histogram says how much."""
        return self._seen(max(seconds, 0.0), LONGEST, 0.0)

    def survival(self, seconds: float) -> float:
        """Share of the jobs that take longer than `seconds`: 0 … 1."""
        return self.curves.at(self.curves.bucket(seconds), seconds)[0] if seconds > 0 else 1.0

    def quantile(self, share: float) -> float:
        """Seconds after which `share` (0 … 1) of the jobs are done."""
        return self.curves.reaching(1.0 - share)

    def remaining_quantile(self, elapsed: float, share: float) -> float:
        """Seconds from `elapsed` on after which `share` of the jobs still running then are done."""
        return max(self.curves.reaching(self.survival(elapsed) * (1.0 - share)) - elapsed, 0.0)

    @cached_property
    def curves(self) -> Curves:
        """The distribution, prior included, in the form the schedule computes with."""
        doubt = _PRIOR_WEIGHT / (1.0 + self.count)
        masses = [doubt * share for share in _prior(self.expected_seconds)]
        for bucket, weight in self.weights:
            masses[bucket] += weight
        return _curves(*_merged(masses))

    def _seen(self, earlier: float, later: float, doubt: float) -> Self:
        """One completion, placed as the histogram itself would: a surprise falls to the prior, which is everywhere."""
        cuts = [earlier, *(edge for edge in _EDGES if earlier < edge < later), later]
        alive = [self.survival(cut) for cut in cuts]
        if alive[0] - alive[-1] < _TINY:
            return self.with_observation(later)
        likely, even = (1.0 - doubt) / (alive[0] - alive[-1]), doubt / (later - earlier)
        shares = [
            likely * (start - end) + even * (high - low)
            for (low, high), (start, end) in zip(pairwise(cuts), pairwise(alive), strict=True)
        ]
        return self._with(dict(enumerate(shares, bisect_right(_EDGES, earlier) - 1)))

    def _with(self, shares: Mapping[int, float]) -> Self:
        """One observation more; those before get a little fainter."""
        weights = {bucket: weight * math.exp(-1 / MEMORY) for bucket, weight in self.weights}
        for bucket, share in shares.items():
            weights[bucket] = weights.get(bucket, 0.0) + share
        kept = ((bucket, round(weight, 6)) for bucket, weight in weights.items() if weight >= _NEGLIGIBLE)
        return replace(self, weights=tuple(sorted(kept)))


@lru_cache(maxsize=64)
def _prior(expected_seconds: float) -> tuple[float, ...]:
    """Share of each bucket before the first observation."""

    def log_normal(seconds: float) -> float:
        deviations = math.log(seconds / expected_seconds) / _PRIOR_SIGMA if seconds else -math.inf
        return 0.5 * math.erfc(-deviations / math.sqrt(2))

    expected = (log_normal(later) - log_normal(earlier) for earlier, later in pairwise(_EDGES))
    return tuple((1 - _PRIOR_ANYWHERE) * share + _PRIOR_ANYWHERE / _BUCKETS for share in expected)


def _merged(masses: Iterable[float]) -> tuple[list[float], list[float]]:
    """Edges and masses of neighbours taken together until they say something: no shape is read into noise."""
    edges, merged, gathered = [0.0], [], 0.0
    for mass, edge in zip(masses, _EDGES[1:], strict=True):
        gathered += mass
        if gathered >= _GRAIN or edge >= edges[-1] * _WIDEST or edge == LONGEST:
            edges.append(edge)
            merged.append(gathered)
            gathered = 0.0
    return edges, merged


def _curves(edges: list[float], masses: list[float]) -> Curves:
    left = _from_here(masses)
    survival = tuple(mass / left[0] for mass in left)
    shares = [mass / left[0] for mass in masses]
    widths = [later - earlier for earlier, later in pairwise(edges)]
    means = [(start + end) / 2 for start, end in pairwise(survival)]
    waited = accumulate((mean * width for mean, width in zip(means, widths, strict=True)), initial=0.0)
    effort = [math.sqrt(share * mean * width) for share, mean, width in zip(shares, means, widths, strict=True)]
    density = (share / width for share, width in zip(shares, widths, strict=True))
    return Curves(
        edges=tuple(edges), density=tuple(density), survival=survival, waited=tuple(waited), effort=_from_here(effort)
    )


def _from_here(values: list[float]) -> tuple[float, ...]:
    """Sums from each position to the end, and a last 0."""
    return tuple(accumulate(reversed(values), initial=0.0))[::-1]
