"""A person whose LoRAs follow the checkpoint: is a checkpoint credited for what the LoRA did?

Graphs wired by hand, in which nearly every checkpoint comes with a LoRA of its own; LoRAs and checkpoints matter about
as much. Two of three generations show three checkpoints with their LoRAs, the third one image twice, with its LoRA and
without. The person picks the best image if it is good enough; single images vary. Afterwards they ask for a checkpoint
alone. All players learn from the same verdicts, and differ in what is taken as known of the LoRAs. Everything is
seeded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy
from numpy.typing import NDArray

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.averaging import predict
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.parameters import MadeImage
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.lora_choice import lora_utilities
from context_checkpoint.learning.recommendation.lora_decision import Comparisons, LoraLog
from context_checkpoint.learning.recommendation.parameter_comparisons import ValueSums, context
from context_checkpoint.learning.values import ImageSettings, Keyword, Shown

from ..arena.worlds.vocabulary import SUBJECTS
from .simulated import BORN, KINDS

CHECKPOINTS, LORAS = tuple("abcde"), tuple(f"pack{place}" for place in range(8))
OF_CHECKPOINTS, OF_LORAS = 0.6, 1.0
"""Standard deviations of the true utilities."""
COMPANION = 0.8
"""How often a checkpoint comes with the LoRA of its own; otherwise with another one or none."""
_BAR = -1.0
PLAYERS = ("nothing", "what was learned", "the truth")
"""What is known of the LoRAs where checkpoints are compared."""

Numbers = NDArray[numpy.float64]
_Image = tuple[str, frozenset[str]]


class Player:
    """What the service does with a log, without the database."""

    def __init__(self, offsets: Callable[[Player, Sequence[Keyword], Sequence[_Image]], Sequence[float]]) -> None:
        self._offsets = offsets
        self._checkpoints = Accumulator()
        self._images: list[MadeImage] = []
        self._words: dict[int, Sequence[Keyword]] = {}
        self._utilities: dict[int, dict[str, float]] = {}
        self._log: LoraLog | None = None
        self._comparisons, self._loras = Comparisons(), ValueSums()

    def means(self, words: Sequence[Keyword]) -> Numbers:
        """What each checkpoint is believed to be worth."""
        return predict(words, CHECKPOINTS, self._checkpoints.evidence(words, CHECKPOINTS)).means

    def known_of_loras(self, words: Sequence[Keyword], images: Sequence[_Image]) -> list[float]:
        """As the service asks when it logs a generation."""
        self._log = LoraLog(tuple(self._images), self._log)
        self._loras.sum_up(self._comparisons.of(self._log, self._words, self._utilities, {}))
        names = {name for name, _ in images}
        asked = context(words, names.pop() if len(names) == 1 else None, "")
        return [utility or 0.0 for utility in lora_utilities(asked, [loras for _, loras in images], self._loras)]

    def learn(self, words: tuple[Keyword, ...], images: Sequence[_Image], kept: int) -> None:
        number = len(self._words)
        means = dict(zip(CHECKPOINTS, self.means(words).tolist(), strict=True))
        offsets = self._offsets(self, words, images)
        parts: dict[str, Shown] = {}
        best = {name: place for place, (name, _) in enumerate(images) if place == kept}
        for place, (name, loras) in enumerate(images):
            if best.get(name, place) == place and name not in parts:  # by the LoRAs with which it did best
                parts[name] = Shown(name, 1, int(place == kept), int(place != kept), means[name], offsets[place])
            settings = ImageSettings(steps=20, loras=tuple((lora, 1.0, 1.0) for lora in sorted(loras)))
            mark = "+" if place == kept else "-"
            self._images.append(MadeImage(number, name, settings, mark, BORN, "bayesian", "final", ""))
        self._words[number] = words
        self._utilities[number] = means
        self._checkpoints.add(Comparison(words, tuple(parts.values()), "final"))


def play(seed: int, prompts: int) -> tuple[Numbers, Numbers]:
    """For each player and prompt the regret of the checkpoint that would be recommended alone, and the error of the
    differences between the checkpoints' utilities, `[players, prompts]` each."""
    rng = numpy.random.default_rng([seed, 47])
    of_checkpoint = dict(zip(CHECKPOINTS, rng.normal(0.0, OF_CHECKPOINTS, len(CHECKPOINTS)).tolist(), strict=True))
    of_lora = dict(zip(LORAS, rng.normal(0.0, OF_LORAS, len(LORAS)).tolist(), strict=True))
    companions = dict(zip(CHECKPOINTS, rng.permutation(LORAS).tolist(), strict=False))
    players = (
        Player(lambda _, __, images: [0.0] * len(images)),
        Player(Player.known_of_loras),
        Player(lambda _, __, images: [sum(of_lora[lora] for lora in loras) for _, loras in images]),
    )
    truth = numpy.array([*of_checkpoint.values()])
    regrets, errors = numpy.zeros((2, len(players), prompts))
    for prompt in range(prompts):
        words = extract_keywords(
            f"{KINDS[int(rng.integers(len(KINDS)))]}, {SUBJECTS[int(rng.integers(len(SUBJECTS)))]}"
        )
        images = _shown(rng, companions, alone=prompt % 3 == 0)
        moods = [of_checkpoint[name] + sum(of_lora[lora] for lora in loras) + rng.gumbel() for name, loras in images]
        best = int(numpy.argmax(moods))
        kept = best if moods[best] > _BAR + rng.gumbel() else -1
        for place, player in enumerate(players):
            player.learn(words, images, kept)
            means = player.means(words)
            regrets[place, prompt] = truth.max() - truth[int(numpy.argmax(means))]
            errors[place, prompt] = numpy.std(means - truth)
    return regrets, errors


def _shown(rng: numpy.random.Generator, companions: dict[str, str], *, alone: bool) -> list[_Image]:
    if alone:
        name = str(rng.choice(CHECKPOINTS))
        return [(name, frozenset([companions[name]])), (name, frozenset())]
    images: list[_Image] = []
    for name in rng.permutation(CHECKPOINTS)[:3].tolist():
        other = frozenset([str(rng.choice(LORAS))]) if rng.random() < 0.5 else frozenset[str]()
        images.append((name, frozenset([companions[name]]) if rng.random() < COMPANION else other))
    return images


def table(seeds: int, prompts: int) -> str:
    """One line per player: regret and error with their standard errors over the seeds, in thirties of prompts."""
    played = numpy.array([play(seed, prompts) for seed in range(seeds)])
    groups = played.reshape(seeds, 2, len(PLAYERS), -1, 30).mean(axis=4)
    means, errors = groups.mean(axis=0), groups.std(axis=0, ddof=1) / numpy.sqrt(seeds)
    to = [f"to {30 * (place + 1)}" for place in range(groups.shape[-1])]
    lines = [f"| known of the LoRAs | | {' | '.join(to)} |", f"|---|---{'|---' * len(to)}|"]
    for what, name in enumerate(("regret", "error")):
        for place, player in enumerate(PLAYERS):
            numbers = zip(means[what, place], errors[what, place], strict=True)
            lines.append(f"| {player} | {name} | {' | '.join(f'{m:.2f} ± {e:.2f}' for m, e in numbers)} |")
    paired = groups[:, :, 1] - groups[:, :, 0]
    less, of_it = paired.mean(axis=0), paired.std(axis=0, ddof=1) / numpy.sqrt(seeds)
    for what, name in enumerate(("regret", "error")):
        numbers = zip(less[what], of_it[what], strict=True)
        lines.append(f"| learned less nothing | {name} | {' | '.join(f'{m:+.2f} ± {e:.2f}' for m, e in numbers)} |")
    return "\n".join(lines)
