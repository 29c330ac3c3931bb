"""What happened in the demonstration, in numbers and in words.

Pure: rounds in, text out, so that what is claimed can be tested. Every number is counted from the rounds
that were played; none is computed from what should have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .person import SUBJECTS, Person, Verdict, Wish
from .studios import Drawn, Learned

ALWAYS = 3
"""Branches per prompt of the habit that this is compared with."""


@dataclass(frozen=True, slots=True)
class Played:
    """One prompt, what was drawn for it, and what the person said."""

    wish: Wish
    drawn: Drawn
    verdict: Verdict

    @property
    def branches(self) -> int:
        return len(set(self.drawn.drawn_by))


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a stretch of rounds."""

    prompts: int
    pictures: int
    favourite_shown: int

    @property
    def per_prompt(self) -> float:
        return self.pictures / self.prompts

    @property
    def saved(self) -> float:
        """The share of pictures that always drawing three would have drawn in addition."""
        return 1 - self.pictures / (ALWAYS * self.prompts)


def summary(played: Sequence[Played], person: Person) -> Summary:
    return Summary(
        prompts=len(played),
        pictures=sum(len(round_.drawn.drawn_by) for round_ in played),
        favourite_shown=sum(person.favourite(round_.wish.kind) in round_.drawn.drawn_by for round_ in played),
    )


def branch_lines(played: Sequence[Played], person: Person) -> list[str]:
    """One line per kind: the branches of each prompt in order, marked where the favourite was among them."""
    lines = ["Branches per prompt, in order (* the person's favourite was among them):"]
    for kind in SUBJECTS:
        favourite = person.favourite(kind)
        marks = [
            f"{round_.branches}{'*' if favourite in round_.drawn.drawn_by else ' '}"
            for round_ in played
            if round_.wish.kind == kind
        ]
        lines.append(f"  {kind:<10} {' '.join(marks)}")
    return lines


def saving_lines(played: Sequence[Played], person: Person) -> list[str]:
    """How the beginning differs from the end, and both from always three."""
    stretch = max(1, len(played) // 4)
    first, last = summary(played[:stretch], person), summary(played[-stretch:], person)
    whole = summary(played, person)
    ends = f"the first {first.prompts} prompts, {{}} in the last {last.prompts}."
    always = ALWAYS * whole.prompts
    return [
        f"Pictures per prompt: {first.per_prompt:.1f} in " + ends.format(f"{last.per_prompt:.1f}"),
        f"The favourite was among them {first.favourite_shown} times in " + ends.format(last.favourite_shown),
        f"{whole.pictures} pictures instead of {always} with always three: {whole.saved:.0%} saved in all,",
        f"{last.saved:.0%} in the last {last.prompts} prompts.",
    ]


def learned_lines(rows: Sequence[Learned], checkpoints: Sequence[str], person: Person) -> list[str]:
    """A table of the four kinds' own words by checkpoint: images selected / judged, the favourite marked."""
    names = [name.partition(".")[0] for name in checkpoints]
    lines = [
        "What was learned (images selected / judged; * the person's favourite):",
        f"  {'':<10}" + "".join(f"{name:>8}" for name in names),
    ]
    for kind in SUBJECTS:
        cells = []
        for checkpoint in checkpoints:
            found = [row for row in rows if row.keyword == kind and row.checkpoint == checkpoint]
            counts = f"{found[0].selected:.0f}/{found[0].total:.0f}" if found else "-"
            cells.append(counts + "*" * (checkpoint == person.favourite(kind)))
        lines.append(f"  {kind:<10}" + "".join(f"{cell:>8}" for cell in cells))
    return lines
