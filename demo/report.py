"""The demonstration's result in numbers and in words.

Pure: judged prompts in, text out, so that the claims can be tested. Every number is counted from the prompts that ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .backends import Generated, PairCount
from .person import SUBJECTS, DemoPrompt, Person, Verdict

ALWAYS = 3
"""Branches per prompt without learning, for comparison."""


@dataclass(frozen=True, slots=True)
class JudgedPrompt:
    """One prompt, its images, and the verdict on them."""

    prompt: DemoPrompt
    generated: Generated
    verdict: Verdict

    @property
    def branches(self) -> int:
        return len(set(self.generated.made_by))


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of some consecutive prompts."""

    prompts: int
    images: int
    favourite_shown: int

    @property
    def per_prompt(self) -> float:
        return self.images / self.prompts

    @property
    def saved(self) -> float:
        """The share of pictures that always drawing three would have drawn in addition."""
        return 1 - self.images / (ALWAYS * self.prompts)


def summary(played: Sequence[JudgedPrompt], person: Person) -> Summary:
    return Summary(
        prompts=len(played),
        images=sum(len(judged.generated.made_by) for judged in played),
        favourite_shown=sum(person.favourite(judged.prompt.kind) in judged.generated.made_by for judged in played),
    )


def branch_lines(played: Sequence[JudgedPrompt], person: Person) -> list[str]:
    """One line per kind: the branches of each prompt in order, marked if the favourite was among them."""
    lines = ["Branches per prompt, in order (* the person's favourite was among them):"]
    for kind in SUBJECTS:
        favourite = person.favourite(kind)
        marks = [
            f"{judged.branches}{'*' if favourite in judged.generated.made_by else ' '}"
            for judged in played
            if judged.prompt.kind == kind
        ]
        lines.append(f"  {kind:<10} {' '.join(marks)}")
    return lines


def saving_lines(played: Sequence[JudgedPrompt], person: Person) -> list[str]:
    """Compare the first prompts with the last, and all with three branches each."""
    stretch = max(1, len(played) // 4)
    first, last = summary(played[:stretch], person), summary(played[-stretch:], person)
    whole = summary(played, person)
    ends = f"the first {first.prompts} prompts, {{}} in the last {last.prompts}."
    always = ALWAYS * whole.prompts
    return [
        f"Images per prompt: {first.per_prompt:.1f} in " + ends.format(f"{last.per_prompt:.1f}"),
        f"The favourite was among them {first.favourite_shown} times in " + ends.format(last.favourite_shown),
        f"{whole.images} images instead of {always} with always three: {whole.saved:.0%} saved in all,",
        f"{last.saved:.0%} in the last {last.prompts} prompts.",
    ]


def learned_lines(rows: Sequence[PairCount], checkpoints: Sequence[str], person: Person) -> list[str]:
    """A table of the four kinds' keywords by checkpoint: images selected / judged, the favourite marked."""
    names = [name.partition(".")[0] for name in checkpoints]
    lines = [
        "What was learned (images selected / judged; * the person's favourite):",
        f"  {'':<10}" + "".join(f"{name:>8}" for name in names),
    ]
    for kind in SUBJECTS:
        cells = []
        for checkpoint in checkpoints:
            matches = [row for row in rows if row.keyword == kind and row.checkpoint == checkpoint]
            counts = f"{matches[0].selected:.0f}/{matches[0].total:.0f}" if matches else "-"
            cells.append(counts + "*" * (checkpoint == person.favourite(kind)))
        lines.append(f"  {kind:<10}" + "".join(f"{cell:>8}" for cell in cells))
    return lines
