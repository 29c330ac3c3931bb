"""From what is known of LoRAs to a recommendation, and the sentence that says why.

LoRAs are arms as checkpoints are, with the same sums and models; the question is another one: not which of them is
best, but which make an image better than it is without. Use and hints give each its prior mean, the log odds of its
share up to a bound. So what a person uses for such prompts is recommended until verdicts say otherwise, and nothing
else is. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy

from ..loras import KnownLora, LoraCandidate, LoraRecommendation
from ..message import Message, message
from ..model import word_weights
from ..model.averaging import Prediction, predict
from ..model.confidence import Numbers, normal_distribution
from ..model.evidence import PairStatistics
from ..model.prior_means import with_prior_means
from ..names import last_part, shown_name
from ..values import HALF_LIFE, Keyword, Thresholds
from .lora_habit import GenerationsWith, LoraHabit, LoraUse
from .lora_hints import Catalogue, Hints
from .parameter_comparisons import ValueSums, is_added

MOST_KNOWN = 12
"""LoRAs of which more is computed than their use."""
_HABIT = 0.25
"""Utility per unit of a share's log odds."""
_MOST_HABIT = 0.5
_NOTHING = PairStatistics()
_LEAST = 0.1
"""What a LoRA has to be worth more than none: where only use speaks for it, a share of 0.6."""
_LEAST_SHARE = 0.02
"""Below, neither use nor a hint speaks for it."""
_SETTLED = Thresholds().exploit
_STRENGTH = 1.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, its keywords, and with them those of the negative prompt and the checkpoint
    (`parameter_comparisons.context`)."""

    text: str
    words: Sequence[Keyword]
    context: Sequence[Keyword]


class Candidates:
    """The LoRAs of a catalogue, and what the log calls them.

    The log has names of files, and names without folder and extension, as other programs write them.

    Parameters
    ----------
    in_log
        The places of the LoRAs that `habit` knows, by their keys.
    judged
        How many images with each LoRA were judged in comparisons, by its key.

    Attributes
    ----------
    loras, in_log
        Pairs: the place of a LoRA of the catalogue, and that of one of the log that is the same.
    arms
        For each LoRA the key by which it was judged, or its own.
    """

    def __init__(self, catalogue: Catalogue, in_log: Mapping[str, int], judged: Mapping[str, float]) -> None:
        self.catalogue = catalogue
        short = [last_part(key) for key in catalogue.keys]
        times = Counter(short)
        pairs: list[tuple[int, int]] = []
        self.arms: list[str] = []
        for place, (key, name) in enumerate(zip(catalogue.keys, short, strict=True)):
            names = [key] if name == key or times[name] > 1 else [key, name]
            pairs += [(place, in_log[each]) for each in names if each in in_log]
            self.arms.append(max(names, key=lambda each: judged.get(each, 0.0)))
        self.loras = numpy.array([lora for lora, _ in pairs], numpy.intp)
        self.in_log = numpy.array([place for _, place in pairs], numpy.intp)
        counts = numpy.array([judged.get(arm, 0.0) for arm in self.arms])
        self.judged = counts / max(1.0, float(counts.sum()))

    def names_in_log(self, place: int) -> list[int]:
        """The places in the log of one of the catalogue."""
        found: list[int] = self.in_log[self.loras == place].tolist()
        return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the candidates for one prompt."""

    candidates: Candidates
    hints: Hints
    use: LoraUse


def recommend(
    prompt: Prompt,
    candidates: Candidates,
    habit: LoraHabit,
    sums: ValueSums,
    generations_with: GenerationsWith,
    *,
    most: int,
    half_life: float = HALF_LIFE,
) -> LoraRecommendation:
    """Recommend some of the LoRAs of a catalogue, or none."""
    catalogue = candidates.catalogue
    hints = catalogue.hints(prompt.text, prompt.words)
    use = habit.use(candidates.loras, candidates.in_log, hints, prompt.words, generations_with)
    asked = _Known(candidates, hints, use)
    interest = use.shares + candidates.judged
    places = [place for place in numpy.argsort(-interest, kind="stable")[:MOST_KNOWN].tolist() if interest[place] > 0.0]
    if not places:
        return LoraRecommendation((), 0.0, (_nothing_known(),))
    arms = [candidates.arms[place] for place in places]
    evidence = replace(sums.evidence(prompt.context, arms), half_life=half_life)
    shares = use.shares[places]
    expected = with_prior_means(evidence, dict(zip(arms, _prior_means(shares), strict=True)))
    prediction = predict(prompt.context, arms, expected)
    means, deviations = prediction.means, numpy.sqrt(prediction.variances)
    better, amounts = normal_distribution(means / deviations), _amounts(prediction)
    by_verdicts, by_habit = amounts * better, use.known[places] * shares
    rows = []
    for at in numpy.argsort(-means, kind="stable").tolist():
        file, judged = catalogue.files[places[at]], evidence.overall.get(arms[at], _NOTHING)
        decided = bool(by_verdicts[at] > by_habit[at])
        rows.append(
            KnownLora(
                file.name,
                _strength(file, habit.strength(candidates.names_in_log(places[at]))),
                float(means[at]),
                float(shares[at]),
                float(max(by_verdicts[at], by_habit[at])),
                int(use.images[places[at]]),
                round(judged.selected),
                round(judged.total),
                _reason(asked, places[at], at, prompt.context, prediction, decided),
            )
        )
    chosen = [row for row in rows if row.score > _LEAST][:most]
    return LoraRecommendation(
        tuple((row.name, row.strength) for row in chosen),
        chosen[0].confidence if chosen else 0.0,
        tuple(row.reason for row in chosen) or (_none_better(),),
        tuple(rows),
        _worth_trying([catalogue.files[place].name for place in places], means, deviations, amounts, shares),
    )


def lora_utilities(
    context: Sequence[Keyword],
    sets: Sequence[frozenset[str] | None],
    sums: ValueSums,
    *,
    half_life: float = HALF_LIFE,
) -> list[float | None]:
    """What verdicts say of the LoRAs that set the images of a generation apart.

    Use says nothing here: it tells what a person would try, not what makes an image better.

    Parameters
    ----------
    sets
        The keys of the LoRAs of each image; None where they are not known.

    Returns
    -------
    list of float or None
        The sum of the utilities of those that not all images have; None where nothing is known of any of them.
    """
    known = [each for each in sets if each is not None]
    own = frozenset().union(*known).difference(frozenset.intersection(*known)) if known else frozenset()
    arms = sorted(name for name in own if sums.judged.get(name))
    if not arms:
        return [None] * len(sets)
    evidence = replace(sums.evidence(context, arms), half_life=half_life)
    utility = dict(zip(arms, predict(context, arms, evidence).means.tolist(), strict=True))
    of_each = ([utility[name] for name in arms if each and name in each] for each in sets)
    return [sum(utilities) if utilities else None for utilities in of_each]


def _prior_means(shares: Numbers) -> list[float]:
    """What use and hints say of each utility: more than 0 where the next image has it with more than one half."""
    odds = shares / (1.0 - shares)
    return [max(-_MOST_HABIT, min(_MOST_HABIT, _HABIT * math.log(odd))) if odd else -_MOST_HABIT for odd in odds]


def _amounts(prediction: Prediction) -> Numbers:
    """How much the comparisons with the prompt's words say of each arm, in 0..1."""
    pooled, rounds = prediction.pooled, prediction.arrays.pairs.field("rounds")
    return prediction.staleness_discount * numpy.array(
        [word_weights.evidence(pooled.words, pooled.shares, of_it, 1.0) if of_it.any() else 0.0 for of_it in rounds.T]
    )


def _worth_trying(
    names: Sequence[str], means: Numbers, deviations: Numbers, amounts: Numbers, shares: Numbers
) -> str | None:
    """The one of which it is worth most to know whether it makes the image better.

    That is what the better choice would gain on average, `E max(u, 0) - max(E u, 0)` (the value of perfect
    information: Howard, IEEE Transactions on Systems Science and Cybernetics 2, 1966).
    """
    z = means / deviations
    better, density = normal_distribution(z), numpy.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    gains = means * better + deviations * density - numpy.maximum(means, 0.0)
    settled = amounts * numpy.maximum(better, 1.0 - better) > _SETTLED
    gains[settled | (shares < _LEAST_SHARE) & (means <= _LEAST)] = -math.inf
    best = int(numpy.argmax(gains))
    return names[best] if gains[best] > 0.0 else None


def _strength(file: LoraCandidate, used: float | None) -> float:
    return next((each for each in (used, file.strength) if each is not None), _STRENGTH)


def _nothing_known() -> Message:
    return message(
        "loras_nothing_known",
        "Nothing is known of these LoRAs yet, and none of their words is in the prompt: none is recommended.",
    )


def _none_better() -> Message:
    return message("loras_none", "No LoRA is known to make an image of this prompt better: none is recommended.")


def _reason(
    asked: _Known, place: int, at: int, context: Sequence[Keyword], prediction: Prediction, by_verdicts: bool
) -> Message:
    """What says most of one LoRA, at its place among the candidates and `at` among the arms."""
    name, used = shown_name(asked.candidates.catalogue.files[place].name), int(asked.use.images[place])
    trigger = asked.hints.triggers.get(place)
    if by_verdicts or not (trigger or used or asked.hints.strength[place]):
        return _by_verdicts(name, at, context, prediction)
    if trigger:
        return message("lora_by_trigger", "{name}: its trigger word {word} is in the prompt.", name=name, word=trigger)
    if not used:
        return message("lora_by_words", "{name}: words of its name or of its training are in the prompt.", name=name)
    return message(
        "lora_by_use",
        "{name}: you used it in {used} images; of your next images of such prompts it is expected in {share}.",
        name=name,
        used=used,
        share=f"{float(asked.use.shares[place]):.0%}",
    )


def _by_verdicts(name: str, at: int, context: Sequence[Keyword], prediction: Prediction) -> Message:
    pairs, overall = prediction.arrays.pairs, prediction.arrays.overall
    totals, effects = pairs.field("total")[:, at], prediction.effects[:, at]
    rows = [row for row, word in enumerate(context) if totals[row] and not is_added(word.text)]
    best = max(rows, key=lambda row: abs(float(effects[row])), default=None)
    if best is None or abs(float(effects[best])) < abs(float(prediction.overall[at])):
        return message(
            "lora_by_verdicts",
            "{name}: you kept {selected} of {total} images with it, compared with other LoRAs or none.",
            name=name,
            selected=round(float(overall.field("selected")[at])),
            total=round(float(overall.field("total")[at])),
        )
    return message(
        "lora_by_verdicts_on",
        "{name}: for prompts with {keyword} you kept {selected} of {total} images with it, compared with other LoRAs "
        "or none.",
        name=name,
        keyword=context[best].text,
        selected=round(float(pairs.field("selected")[best, at])),
        total=round(float(totals[best])),
    )
