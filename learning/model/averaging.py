"""Several models of one person, averaged by how well each foretold the verdicts so far.

Some people's taste hangs on the prompt, others' on the checkpoint alone, and in some histories single words
decide and in others whole kinds of prompts. None of that is known beforehand, so the additive models
(`basis`) and the model of similar rounds (`pooled`) all foretell every verdict before they learn from it,
and weigh as the product of what they gave it (prequential Bayesian model averaging: Dawid, J. Royal
Statistical Society A 147, 1984), to a power (`_LEARNING_RATE`).

`take_snapshot` takes the same prediction at the moment of a verdict, as the basis of what the verdict teaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..values import Keyword
from . import forward_decay
from . import word_weights as word_weights
from .confidence import Numbers
from .drift import drift, staleness_discount, widened
from .evidence import Comparison, Evidence
from .evidence_arrays import EvidenceArrays, Field, as_arrays
from .keyword_regression import keyword_variances, overall_variances
from .plackett_luce import merged
from .pooled import Pooled
from .pooled import predict as predict_pooled
from .snapshot import MODELS, PriorSnapshot, rounded
from .sufficient_statistics import round_share
from .word_weights import Words

_EFFECTS: tuple[Field, ...] = ("narrow", "middle", "wide")
_HEARD_ROUNDS = 4.0  # a word heard in so many rounds has an eighth of the feature that its rarity gives it
_RARITY_POWER = 0.7
_LEARNING_RATE = 0.9
"""Of the models' likelihoods: none of them is the person, and the product of many verdicts would soon be as
sure of one of them as if it were (Gruenwald and van Ommen, Bayesian Analysis 12, 2017)."""
_PRIOR = numpy.array([0.0, 0.0, 0.0, 1.0])
"""Log odds of the models beforehand. Similar rounds go farther with few verdicts: a person has to show some
regularity before single words are believed to decide."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is thought of each candidate for one prompt.

    Attributes
    ----------
    means, variances
        Utility `[C]`, averaged over the models.
    overall, effects
        What the means are made of: `overall` `[C]` plus the sum of `effects` `[K, C]`.
    pooled
        The model of similar rounds alone, which also knows how much the words tell.
    held
        The evidence that all of it was made of.
    doubt, freshness
        How far it is to be believed (`drift`); the variances are widened already.
    """

    means: Numbers
    variances: Numbers
    overall: Numbers
    effects: Numbers
    pooled: Pooled
    held: EvidenceArrays
    drift: float
    staleness_discount: float


@dataclass(frozen=True, slots=True)
class _Models:
    """All models' predictions: `means` and `variances` `[C, MODELS]`, `overall` `[C, MODELS - 1]`, and the
    additive ones' weights `[K, C, MODELS - 1]`."""

    means: Numbers
    variances: Numbers
    overall: Numbers
    weights: Numbers
    precisions: Numbers
    pooled: Pooled


def predict(keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> Prediction:
    """Average what all models foretell; there must be a candidate."""
    held = as_arrays(keywords, candidates, evidence)
    words = word_weights.weigh(held, keywords)
    features = _features(held.keyword_rounds, held.rounds, words)
    models = _foretold(held.decayed_to(_spread(held, words)), words, features, evidence.half_life)
    trust = model_weights(evidence.fits)
    means = models.means @ trust
    apart = (models.means - means[:, None]) ** 2
    doubted = drift(held, models.pooled.shares)
    return Prediction(
        means=means,
        variances=widened((models.variances + apart) @ trust, doubted),
        overall=models.overall @ trust[:-1] + models.pooled.overall * trust[-1],
        effects=features[:, None] * (models.weights @ trust[:-1]) + models.pooled.effects * trust[-1],
        pooled=models.pooled,
        held=held,
        drift=doubted,
        staleness_discount=staleness_discount(held, models.pooled.shares),
    )


def take_snapshot(judged: Comparison, evidence: Evidence) -> PriorSnapshot:
    """What is known of a round that is about to be judged for the first time.

    The round itself already counts as heard: otherwise a new word could never learn from its first verdict.
    """
    shown = merged(judged.shown)
    held = as_arrays(judged.keywords, [part.checkpoint for part in shown], evidence)
    share = round_share(len(shown))
    words = word_weights.weigh(held, judged.keywords)
    features = _features(held.keyword_rounds + share, held.rounds + share, words)
    spread = _spread(held, words)
    models = _foretold(held.decayed_to(spread), words, features, evidence.half_life)
    doubted = drift(held, models.pooled.shares)
    log_decay_weights = forward_decay.decayed_to(spread, doubted) if doubted > 0.0 else held.log_decay_weights
    return rounded(
        PriorSnapshot(
            features,
            models.precisions,
            models.means,
            models.variances,
            model_weights(evidence.fits),
            held.surprises,
            held.exploit_streak,
            log_decay_weights,
            log_decay_weights - held.log_decay_weights,
            evidence.half_life,
        )
    )


def model_weights(fits: Sequence[float]) -> Numbers:
    """How much each model is believed, `[MODELS]`, summing to 1; `_PRIOR` while there are no verdicts."""
    logs = _PRIOR + _LEARNING_RATE * (numpy.array(fits) if len(fits) == MODELS else numpy.zeros(MODELS))
    weights = numpy.exp(logs - logs.max())
    normalised: Numbers = weights / weights.sum()
    return normalised


def _features(keyword_rounds: Numbers, rounds: float, words: Words) -> Numbers:
    """How much each keyword has to say, `[K]`, of unit length: its rarity, how well it is known, how far it
    matters.

    The rarity is the inverse document frequency (Sparck Jones, J. Documentation 28, 1972) over the judged
    rounds. A word hardly ever heard would otherwise take the place of those that are known.
    """
    rarity = numpy.maximum(0.0, numpy.log((rounds + 2.0) / (keyword_rounds + 1.0)))
    heard = keyword_rounds / (keyword_rounds + _HEARD_ROUNDS)
    features = rarity**_RARITY_POWER * heard**3 * numpy.sqrt(words.weights * words.mattering)
    length = float(numpy.sqrt(features @ features))
    return features / length if length > 0.0 else features


def _spread(held: EvidenceArrays, words: Words) -> Numbers:
    """How far the keywords have grown `[1 + K]`, by what their company went through as well."""
    return forward_decay.spread(held.log_decay_weights, word_weights.shares(words), words.company)


def _foretold(held: EvidenceArrays, words: Words, features: Numbers, half_life: float) -> _Models:
    pooled = predict_pooled(held, words)
    overall = numpy.stack([held.overall.field(name) for name in _EFFECTS], axis=-1)
    weights = numpy.stack([held.pairs.field(name) for name in _EFFECTS], axis=-1)
    precision, overall_precision = held.pairs.field("precision"), held.overall.field("precision")
    spread = numpy.einsum("k,kcm->cm", features**2, keyword_variances(precision, half_life))
    additive = overall + numpy.einsum("k,kcm->cm", features, weights)
    variances = overall_variances(overall_precision, half_life)[:, None] + spread
    return _Models(
        means=numpy.concatenate([additive, pooled.means[:, None]], axis=1),
        variances=numpy.concatenate([variances, pooled.variances[:, None]], axis=1),
        overall=overall,
        weights=weights,
        precisions=numpy.concatenate([overall_precision[None, :], precision]),
        pooled=pooled,
    )
