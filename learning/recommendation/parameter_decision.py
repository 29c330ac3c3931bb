"""What the images of a log say of all parameters, and the way of a question to its answer.

    log = ParameterLog(images)                              # habit; which images were compared
    decide(question, log, words, ...)                       # the sums of the comparisons; ranked by the policy

All of it is pure. Separate from the service, which reads the log and keeps what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..parameters import PARAMETERS, MadeImage, ParameterRecommendation
from ..values import Keyword
from .parameter_choice import ParameterQuestion, arms, choose
from .parameter_comparisons import ValueSums, compared, context
from .parameter_habit import Habit


class ParameterLog:
    """What follows from the images whose settings are known.

    Parameters
    ----------
    images
        Oldest first.

    Attributes
    ----------
    comparisons
        Of each parameter, with the places in `images` of what was compared.
    compared_generations
        The numbers of the generations that they are of.
    families
        Of checkpoints, as far as the log says.
    """

    def __init__(self, images: Sequence[MadeImage]) -> None:
        self.habit = Habit(images)
        self.comparisons = {name: compared(images, name) for name in PARAMETERS}
        self.compared_generations = {each.generation for found, _ in self.comparisons.values() for each in found}
        self.families = {image.checkpoint: image.family for image in images if image.family}


def decide(
    question: ParameterQuestion,
    log: ParameterLog,
    words: Sequence[Keyword],
    *,
    compared_words: Mapping[int, Sequence[Keyword]],
    shared_words: Mapping[int, int],
    sums: ValueSums,
    families: Mapping[str, str],
    half_life: float,
) -> ParameterRecommendation:
    """Answer a question.

    Parameters
    ----------
    words
        The keywords of the question's prompt.
    compared_words
        The keywords of each generation that was compared.
    shared_words
        How many of `words` each generation has.
    sums
        Those of this parameter; they are brought up to date.
    families
        Of checkpoints, as far as the caller knows them; they count before those of the log.
    """
    families = {**log.families, **families}
    comparisons, places = log.comparisons[question.name]
    use = log.habit.use(
        question.name,
        question.default_value,
        question.checkpoint,
        families,
        words=len({word.text for word in words}),
        shared=shared_words,
        without=places,
    )
    sums.bring_up_to_date(comparisons, compared_words, families)
    values = arms(use, sums.judged, question.default_value)
    asked = context(words, question.checkpoint, families.get(question.checkpoint or "", ""))
    evidence = replace(sums.evidence(asked, list(values)), half_life=half_life)
    return choose(question, use, values, asked, evidence)
