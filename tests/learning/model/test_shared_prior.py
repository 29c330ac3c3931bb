"""What other people's verdicts say: a start that gives way, and that leaves no trace."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.averaging import predict
from context_checkpoint.learning.model.evidence import Comparison, Evidence
from context_checkpoint.learning.model.shared_prior import (
    FEWEST_PEOPLE,
    MOST_OF_ONE,
    MOST_ROUNDS,
    MOST_UTILITY,
    Identities,
    Own,
    Pair,
    SharedPrior,
    Source,
    Sums,
    agreement,
    of_people,
)
from context_checkpoint.learning.values import Keyword, Shown

NAMES = ["a", "b", "c"]
CAT = (Keyword("cat"),)
IDENTITIES = Identities(((name, "") for name in NAMES), {})


def pair(keyword: str, name: str) -> Pair:
    return keyword, Identities.identity(name, "")


def source(best: str, rounds: float = 10.0, noise: float = 0.0) -> Source:
    """Prompts about cats, of which one checkpoint is liked and the others are not."""
    sums = {pair("cat", name): (0.2 * rounds * (1.5 if name == best else -1.0), 0.2 * rounds) for name in NAMES}
    return Source(f"{best} is best", sums, noise=noise)


def verdicts(best: str, count: int) -> Accumulator:
    sums = Accumulator()
    for _ in range(count):
        shown = [Shown(name, 1, selected=int(name == best), rejected=int(name != best)) for name in NAMES]
        sums.add(Comparison(CAT, tuple(shown)))
    return sums


def own(sums: Accumulator) -> Own:
    pairs: dict[Pair, Sums] = {
        pair(text, name): (each.score, each.information) for (text, name), each in sums.pairs.items() if text
    }
    return Own(pairs, sum(each.information for (text, _), each in sums.pairs.items() if not text))


def means(sums: Accumulator, *sources: Source) -> numpy.ndarray:
    evidence = sums.evidence(CAT, NAMES)
    if sources:
        evidence = replace(evidence, shared=SharedPrior(sources, own(sums), IDENTITIES))
    return predict(CAT, NAMES, evidence).means


def test_without_verdicts_the_best_of_the_others_leads() -> None:
    """That is what a start is for."""
    assert NAMES[int(means(Accumulator(), source("b")).argmax())] == "b"


def test_nothing_that_speaks_of_other_words_changes_a_bit() -> None:
    """Neither do no sources at all."""
    sums = verdicts("a", 5)
    of_dogs = Source("dogs", {pair("dog", "b"): (5.0, 2.0)})

    assert means(sums, of_dogs).tolist() == means(sums).tolist()
    assert predict(CAT, NAMES, replace(sums.evidence(CAT, NAMES), shared=None)).means.tolist() == means(sums).tolist()


@pytest.mark.parametrize("rounds", [10.0, 1e3, 1e6])
def test_a_few_verdicts_of_ones_own_outweigh_whatever_others_say(rounds: float) -> None:
    """However much they have judged, they count as a few rounds, and a taste that differs as none."""
    assert NAMES[int(means(verdicts("a", 6), source("b", rounds)).argmax())] == "a"


def test_what_is_said_counts_as_so_many_rounds_at_most() -> None:
    """The evidence too: a start alone is never sure."""
    told = SharedPrior([source("b", 1e6)], Own({}), IDENTITIES).about(["cat"], NAMES)

    assert 0.99 * MOST_ROUNDS < told.keyword_rounds[0] <= MOST_ROUNDS


def test_agreement_grows_with_verdicts_that_were_predicted_and_falls_with_others() -> None:
    """It begins in between."""
    at_first = agreement(source("b"), Own({}))

    assert agreement(source("b"), own(verdicts("b", 8))) > 0.9
    assert agreement(source("b"), own(verdicts("a", 8))) < 0.1
    assert 0.5 < at_first < 0.8


def test_noise_alone_says_nothing() -> None:
    """Neither of utilities nor of how much is known: numbers that noise could have made count as none."""
    rng = numpy.random.default_rng(3)
    sums = {pair("cat", name): (float(rng.normal(0, 3)), float(rng.normal(0, 3))) for name in NAMES}
    told = SharedPrior([Source("noise", sums, noise=3.0)], Own({}), IDENTITIES).about(["cat"], NAMES)

    assert not told.information.any()
    assert not told.score.any()


def test_many_noisy_files_say_what_one_cannot() -> None:
    """Noise averages out."""
    rng = numpy.random.default_rng(3)

    def noisy(number: int) -> Source:
        sums = {key: (s + rng.normal(0, 2), i + rng.normal(0, 2)) for key, (s, i) in source("b").pairs.items()}
        return Source(f"file {number}", sums, noise=2.0)

    told = SharedPrior([noisy(number) for number in range(60)], Own({}), IDENTITIES).about(["cat"], NAMES)

    assert NAMES[int(told.score[0].argmax())] == "b"
    assert told.information.all()


def test_of_people_only_what_enough_speak_of_counts_and_each_within_bounds() -> None:
    """One with a thousand verdicts has no more to say than the bound."""
    loud = {pair("cat", "a"): (1e6, 1e5), pair("secret", "a"): (3.0, 2.0)}
    others = [{pair("cat", "a"): (-0.1, 0.2)} for _ in range(FEWEST_PEOPLE - 1)]

    sums = of_people([loud, *others])

    assert set(sums) == {pair("cat", "a")}
    assert sums[pair("cat", "a")][1] == pytest.approx(MOST_OF_ONE + 0.2 * len(others))
    assert sums[pair("cat", "a")][0] == pytest.approx(MOST_OF_ONE * MOST_UTILITY - 0.1 * len(others))
    assert of_people([loud] * (FEWEST_PEOPLE - 1)) == {}


@pytest.mark.parametrize(
    ("theirs", "mine", "same"),
    [
        (("x.safetensors", "F" * 8), ("y.safetensors", "F" * 8), True),
        (("x.safetensors", "F" * 8), ("sdxl/X.safetensors", ""), True),
        (("x.safetensors", ""), ("sdxl\\x.safetensors", "F" * 8), True),
        (("x.safetensors", "F" * 8), ("x.safetensors", "G" * 8), False),
        (("x.safetensors", ""), ("y.safetensors", ""), False),
    ],
)
def test_a_checkpoint_is_known_by_its_file_and_else_by_its_name(
    theirs: tuple[str, str], mine: tuple[str, str], same: bool
) -> None:
    """Two files of one name are two checkpoints where both fingerprints are known."""
    identities = Identities([theirs], {mine[0]: mine[1]} if mine[1] else {})

    assert (Identities.identity(*theirs) in identities.own(mine[0])) is same


def test_evidence_without_others_has_none() -> None:
    """The default."""
    assert Evidence().shared is None
