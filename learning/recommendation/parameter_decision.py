"""What the images of a log say of all parameters, and the way of a question to its answer.

    log = ParameterLog(images)                              # habit; which images were compared
    decide(question, log, words, ...)                       # the sums of the comparisons; ranked by the policy

All of it is pure. Separate from the service, which reads the log and keeps what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy

from ..parameters import MadeImage, ParameterName, ParameterRecommendation
from ..values import Keyword
from .parameter_choice import ParameterQuestion, arms, choose
from .parameter_comparisons import ValueSums, compared, context, newest, same_objects
from .parameter_habit import Habit, Places


class ParameterLog:
    """What follows from the images whose settings are known.

    Parameters
    ----------
    images
        Oldest first.
    former
        Of the same log earlier: what is the same in both is not computed again.

    Attributes
    ----------
    comparisons
        The newest of each parameter.
    compared_generations
        The numbers of the generations that they are of.
    families
        Of checkpoints, as far as the log says.
    """

    def __init__(self, images: Sequence[MadeImage], former: ParameterLog | None = None) -> None:
        self._images = images
        known = same_at_first(former._images, images) if former else 0
        self.habit: Habit = Habit(images, former.habit if former else None, known)
        self._compared = compared(images, known)
        if former:
            for name, found in former._compared.items():
                self._compared[name][:0] = [each for each in found if each.places[-1] < known]
        self.comparisons = {name: newest(found) for name, found in self._compared.items()}
        self.compared_generations = {each.generation for found in self.comparisons.values() for each in found}
        self.families = {image.checkpoint: image.family for image in images if image.family}

        self._places: dict[ParameterName, Places] = {}

    def compared_places(self, name: ParameterName) -> Places:
        """The places in the images of all that was compared in a parameter."""
        if name not in self._places:
            places = [place for each in self._compared[name] for place in each.places]
            self._places[name] = numpy.array(places, numpy.intp)
        return self._places[name]


def same_at_first(former: Sequence[MadeImage], images: Sequence[MadeImage]) -> int:
    """How many images, up to the end of a generation, are the first ones of both."""
    same = same_objects(former, images)
    while same and same < len(images) and images[same].generation == images[same - 1].generation:
        same -= 1
    return same


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
    use = log.habit.use(
        question.name,
        question.default_value,
        question.checkpoint,
        families,
        words=len({word.text for word in words}),
        shared=shared_words,
        without=log.compared_places(question.name),
    )
    sums.bring_up_to_date(log.comparisons[question.name], compared_words, families)
    values = arms(use, sums.judged, question.default_value)
    asked = context(words, question.checkpoint, families.get(question.checkpoint or "", ""))
    evidence = replace(sums.evidence(asked, list(values)), half_life=half_life)
    return choose(question, use, values, asked, evidence)
