"""Several models of one person, averaged by how well each has predicted the verdicts so far.

Some people's taste depends on the prompt, others' on the checkpoint alone; in some histories single words
decide, in others whole kinds of prompts. None of that is known beforehand. So the additive models
(`keyword_regression`) and the model of similar rounds (`pooled`) all predict every verdict before they learn
from it, and each has the product of its likelihoods as its weight (prequential Bayesian model averaging: Dawid,
J. Royal Statistical Society A 147, 1984), to a power (`_LEARNING_RATE`).

Two functions, separate from the policies because the store calls one of them: `predict` for a recommendation,
and `take_snapshot`, which keeps the same prediction at the moment of a verdict. What the verdict teaches is
computed from that snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..values import Keyword
from . import forward_decay, word_weights
from .arms import arms_of
from .confidence import Numbers
from .drift import drift, staleness_discount, widened
from .evidence import Comparison, Evidence
from .evidence_arrays import EvidenceArrays, Field, as_arrays
from .keyword_regression import OVERALL_VARIANCE, keyword_variances, overall_variances
from .plackett_luce import merged
from .pooled import Pooled
from .pooled import predict as predict_pooled
from .snapshot import MODELS, PriorSnapshot, rounded
from .sufficient_statistics import round_share
from .word_weights import Words

_EFFECTS: tuple[Field, ...] = ("narrow", "middle", "wide")
_HALF_KNOWN_ROUNDS = 4.0  # a word seen in so many rounds has an eighth of the feature that its rarity gives it
_RARITY_POWER = 0.7
_LEARNING_RATE = 0.9
"""The power of the likelihoods. None of the models is correct, and the product over many verdicts would soon be
as sure of one of them as if it were (Gruenwald and van Ommen, Bayesian Analysis 12, 2017)."""
_PRIOR = numpy.array([0.0, 0.0, 0.0, 1.0])
"""Prior log odds of the models. The model of similar rounds needs fewer verdicts, so a person has to show some
regularity before single words are believed to decide."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The posterior of each candidate's utility for one prompt.

    Attributes
    ----------
    means, variances
        `[C]`, averaged over the models; the variances are widened for drift already.
    overall, effects
        What the means consist of: `overall` `[C]` plus the sum of `effects` `[K, C]`.
    pooled
        The model of similar rounds alone, which also has the words and their shares.
    arrays
        The evidence that all of it was computed from.
    drift, staleness_discount
        How far the evidence is to be believed (`drift`).
    """

    means: Numbers
    variances: Numbers
    overall: Numbers
    effects: Numbers
    pooled: Pooled
    arrays: EvidenceArrays
    drift: float
    staleness_discount: float


@dataclass(frozen=True, slots=True)
class _Models:
    """All models' predictions: `means` and `variances` `[C, MODELS]`. Of the additive ones: `overall`
    `[C, MODELS - 1]`, `coefficients` `[K, C, MODELS - 1]` and `precisions` `[1 + K, C]`."""

    means: Numbers
    variances: Numbers
    overall: Numbers
    coefficients: Numbers
    precisions: Numbers
    pooled: Pooled


def predict(keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> Prediction:
    """Average the predictions of all models; there must be a candidate."""
    arrays = as_arrays(keywords, candidates, evidence)
    words = word_weights.weigh(arrays, keywords)
    features = _features(arrays.keyword_rounds, arrays.rounds, words)
    models = _models(arrays.decayed_to(_log_decay_weights(arrays, words)), words, features, evidence.half_life)
    weights = model_weights(evidence.log_likelihoods)
    means = models.means @ weights
    between = (models.means - means[:, None]) ** 2
    drift_nats = drift(arrays, models.pooled.shares)
    return Prediction(
        means=means,
        variances=widened((models.variances + between) @ weights, drift_nats),
        overall=models.overall @ weights[:-1] + models.pooled.overall * weights[-1],
        effects=features[:, None] * (models.coefficients @ weights[:-1]) + models.pooled.effects * weights[-1],
        pooled=models.pooled,
        arrays=arrays,
        drift=drift_nats,
        staleness_discount=staleness_discount(arrays, models.pooled.shares),
    )


def take_snapshot(comparison: Comparison, evidence: Evidence) -> PriorSnapshot:
    """What is known of a comparison just before its first verdict.

    Its keywords already count as seen in it: otherwise a new word could never learn from its first verdict.
    """
    shown = merged(comparison.shown)
    arrays = as_arrays(comparison.keywords, arms_of(comparison, shown).names, evidence)
    share = round_share(len(shown))
    words = word_weights.weigh(arrays, comparison.keywords)
    features = _features(arrays.keyword_rounds + share, arrays.rounds + share, words)
    spread = _log_decay_weights(arrays, words)
    models = _models(arrays.decayed_to(spread), words, features, evidence.half_life)
    drift_nats = drift(arrays, models.pooled.shares)
    log_decay_weights = forward_decay.decayed_to(spread, drift_nats) if drift_nats > 0.0 else arrays.log_decay_weights
    return rounded(
        PriorSnapshot(
            features,
            models.precisions,
            models.means,
            models.variances,
            model_weights(evidence.log_likelihoods),
            arrays.surprises,
            arrays.exploit_streak,
            log_decay_weights,
            log_decay_weights - arrays.log_decay_weights,
            evidence.half_life,
        )
    )


def model_weights(log_likelihoods: Sequence[float]) -> Numbers:
    """The posterior probability of each model, `[MODELS]`; that of `_PRIOR` while there are no verdicts."""
    verdicts = numpy.array(log_likelihoods) if len(log_likelihoods) == MODELS else numpy.zeros(MODELS)
    logs = _PRIOR + _LEARNING_RATE * verdicts
    weights = numpy.exp(logs - logs.max())
    normalised: Numbers = weights / weights.sum()
    return normalised


def _features(keyword_rounds: Numbers, rounds: float, words: Words) -> Numbers:
    """How strongly each keyword enters the regression, `[K]`, of unit length.

    It is the word's rarity (inverse document frequency over the judged rounds: Sparck Jones, J. Documentation
    28, 1972), times how well it is known, times its relevance (`word_weights`). Without the second factor a word
    hardly ever seen would take the place of those that are known.
    """
    rarity = numpy.maximum(0.0, numpy.log((rounds + 2.0) / (keyword_rounds + 1.0)))
    known = keyword_rounds / (keyword_rounds + _HALF_KNOWN_ROUNDS)
    features = rarity**_RARITY_POWER * known**3 * numpy.sqrt(words.weights * words.relevance)
    length = float(numpy.sqrt(features @ features))
    return features / length if length > 0.0 else features


def _log_decay_weights(arrays: EvidenceArrays, words: Words) -> Numbers:
    """Those of the keywords `[1 + K]`, spread over words that co-occur."""
    return forward_decay.spread(arrays.log_decay_weights, word_weights.shares(words), words.co_occurrence)


def _models(arrays: EvidenceArrays, words: Words, features: Numbers, half_life: float) -> _Models:
    pooled = predict_pooled(arrays, words)
    prior = arrays.prior / (1.0 + OVERALL_VARIANCE * arrays.overall.field("precision"))
    overall = numpy.stack([arrays.overall.field(name) + prior for name in _EFFECTS], axis=-1)
    coefficients = numpy.stack([arrays.pairs.field(name) for name in _EFFECTS], axis=-1)
    precision, overall_precision = arrays.pairs.field("precision"), arrays.overall.field("precision")
    spread = numpy.einsum("k,kcm->cm", features**2, keyword_variances(precision, half_life))
    additive = overall + numpy.einsum("k,kcm->cm", features, coefficients)
    variances = overall_variances(overall_precision, half_life)[:, None] + spread
    return _Models(
        means=numpy.concatenate([additive, pooled.means[:, None]], axis=1),
        variances=numpy.concatenate([variances, pooled.variances[:, None]], axis=1),
        overall=overall,
        coefficients=coefficients,
        precisions=numpy.concatenate([overall_precision[None, :], precision]),
        pooled=pooled,
    )
