"""Why these checkpoints: one sentence for a node, and a full explanation.

Separate from the policies, which give numbers and no prose, and from `decision`, which hands over a finished
recommendation. It keeps four answers apart: nothing is known of such prompts, too little is known, enough is
known but no checkpoint stands out, and one stands out. Judging a few more generations helps with the second and
not with the third.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ..message import Part, parts_of
from ..model.evidence import Evidence, PairStatistics
from ..names import short_names, shown_name
from ..prompts.keywords import NEGATIVE
from ..values import Precedence, Progress, Reason, Recommendation, Strategy
from .counterfactuals import MOST_PICKS, Change

Finding = Literal["nothing_known", "little_data", "no_clear_winner", "clear_winner"]
Opening = Literal["only_candidate", "draft", "compare", "mostly", "alone", "no_pool", "not_learned"]
"""How the sentence begins; it depends on what is shown."""

_CLEAR = 0.5  # the document's exploit threshold: above it, a confidence is high
_SURPRISED = 0.3  # a drift worth mentioning: variances are four times as great then
_NAMED_WORDS = 3
_LACKING: dict[Finding, str] = {
    "little_data": "little data on such prompts",
    "no_clear_winner": "no clear winner on such prompts",
    "clear_winner": "the others did worse on such prompts",
}
_NOTHING = PairStatistics()


class KeywordExplained(TypedDict):
    """A keyword of the prompt, and how many comparable rounds had it."""

    text: str
    weight: float
    rounds: float


class ReasonExplained(TypedDict):
    """A keyword's effect on a checkpoint's score, and the images that show it."""

    keyword: str
    effect: float
    selected: int
    total: int


class CheckpointExplained(TypedDict):
    """A candidate's score, its statistics over all prompts, and the keywords that speak for and against it."""

    checkpoint: str
    score: float
    selected: int
    total: int
    overall_effect: float
    speak_for: list[ReasonExplained]
    speak_against: list[ReasonExplained]


class GroundsExplained(TypedDict):
    """What a finding rests on, for putting it into another language.

    `any_prompt` and `no_words` are for the finding that nothing is known: of these checkpoints at all, and not only
    for such prompts; or because the prompt has no word that could be read, only numbers or symbols. `kept` has the
    keywords that speak most for the leader. `surprised` is true where recent verdicts on such prompts differed from
    what was predicted, so that more is tried. `follows_images` is true where what is compared follows images that the
    person had before and did not rate; `imported_verdicts` counts those of the leader that they had rated. `taught_by`
    names what was adopted from other people, where it says much in comparison with the person's own verdicts.
    """

    finding: Finding
    leader: str
    leader_judged: bool
    any_prompt: bool
    no_words: bool
    kept: list[ReasonExplained]
    surprised: bool
    follows_images: bool
    imported_verdicts: int
    taught_by: list[str]


class PrecedenceExplained(TypedDict):
    """`checkpoint` goes first although `best` is the best one: they are equally good, and it costs less."""

    checkpoint: str
    best: str
    because: Literal["loaded", "quicker"]


class ExplanationParts(TypedDict):
    """The one sentence before it is put into words; the recommendation has the checkpoints that it names.

    `grounds` is None where what was learned was not used: one candidate, or a fallback. `problem` is the reason
    for a fallback, and `problem_parts` has the keys of its words (see `message`).
    """

    opening: Opening
    grounds: GroundsExplained | None
    pinned: list[str]
    precedence: PrecedenceExplained | None
    problem: str
    problem_parts: list[Part]


class WordLeftOutExplained(TypedDict):
    """A word of the prompt, and the checkpoint that would be first without it."""

    keyword: str
    checkpoint: str


class ChangeExplained(TypedDict):
    """What would put another checkpoint first; `picks` is None where `most_picks` would not be enough."""

    sentence: str
    runner_up: str
    behind: float
    picks: int | None
    most_picks: int
    without: list[WordLeftOutExplained]


class ProgressExplained(TypedDict):
    """How far it is to one checkpoint alone (`values.Progress`)."""

    sentence: str
    pictures: int
    of_about: int | None
    alone: bool


class Explained(TypedDict):
    """An explanation in full, ready for JSON."""

    policy: str
    strategy: Strategy
    finding: Finding
    summary: str
    grounds: GroundsExplained | None
    confidence: float
    evidence: float
    clarity: float
    rounds: float
    progress: ProgressExplained | None
    keywords: list[KeywordExplained]
    checkpoints: list[CheckpointExplained]
    would_change: ChangeExplained


def finding(recommendation: Recommendation) -> Finding:
    """Which of the four answers a recommendation is.

    Confidence is evidence times clarity, so where it is low, the smaller of the two is what is missing.
    """
    if recommendation.evidence <= 0.0 or _none_judged(recommendation):
        return "nothing_known"
    if recommendation.confidence > _CLEAR:
        return "clear_winner"
    return "little_data" if recommendation.evidence < recommendation.clarity else "no_clear_winner"


def one_sentence(recommendation: Recommendation) -> str:
    """Say in one sentence what is shown and why."""
    sentence, called = _sentence(recommendation), _called(recommendation)
    if recommendation.precedence:
        first, best = called[recommendation.precedence.checkpoint], called[recommendation.precedence.best]
        why = "it is loaded already" if recommendation.precedence.because == "loaded" else "it is quicker"
        sentence += f" {best} and {first} are equally good for this prompt; {first} goes first because {why}."
    if recommendation.pinned:
        sentence += f" Pinned: {', '.join(called[name] for name in recommendation.pinned)}."
    return sentence


def _sentence(recommendation: Recommendation) -> str:
    called = _called(recommendation)
    names = _listed([called[name] for name in recommendation.checkpoints])
    best, leader = recommendation.checkpoints[0], _leader(recommendation)
    opening = _opening(recommendation)
    if opening == "only_candidate":
        return f"{called[best]} is the only candidate."
    if opening == "draft":
        why = _why(recommendation, leader, called[leader])
        return f"The draft stage compares several, however sure the recommendation: {names}; {why}."
    if opening == "compare":
        return f"Compare {names}: {_why(recommendation, leader, called[leader])}."
    # A pinned checkpoint may be shown instead of the one that leads.
    why = _why(recommendation, leader, "it" if leader == best else called[leader])
    if opening == "mostly":
        return f"Mostly {called[best]}, with {called[recommendation.checkpoints[1]]} to compare: {why}."
    return f"{called[best]} alone: {why}."


def _called(recommendation: Recommendation) -> dict[str, str]:
    """How the sentence calls the checkpoints that it may name."""
    return short_names([*recommendation.checkpoints, _leader(recommendation), *recommendation.pinned])


def parts(recommendation: Recommendation) -> ExplanationParts:
    """What the one sentence says, for putting it into another language."""
    if recommendation.fallback:
        opening: Opening = "not_learned" if recommendation.problem else "no_pool"
    else:
        opening = _opening(recommendation)
    has_grounds = not recommendation.fallback and opening != "only_candidate"
    return ExplanationParts(
        opening=opening,
        grounds=_grounds(recommendation) if has_grounds else None,
        pinned=list(recommendation.pinned),
        precedence=_precedence(recommendation.precedence),
        problem=recommendation.problem,
        problem_parts=list(parts_of(recommendation.problem)),
    )


def _precedence(precedence: Precedence | None) -> PrecedenceExplained | None:
    if precedence is None:
        return None
    return PrecedenceExplained(checkpoint=precedence.checkpoint, best=precedence.best, because=precedence.because)


def _opening(recommendation: Recommendation) -> Opening:
    if len(recommendation.scores) == 1:
        return "only_candidate"
    if recommendation.strategy == "explore":
        return "draft" if recommendation.stage == "draft" else "compare"
    return "mostly" if recommendation.strategy == "exploit_explore" else "alone"


def _leader(recommendation: Recommendation) -> str:
    """The first of the ranking. It is not the first that is shown where that is a pinned one, or costs less."""
    first, scores = recommendation.checkpoints[0], recommendation.scores
    best = max(scores, key=lambda name: scores[name])
    return first if scores[first] >= scores[best] else best


def _grounds(recommendation: Recommendation) -> GroundsExplained:
    leader = _leader(recommendation)
    return GroundsExplained(
        finding=finding(recommendation),
        leader=leader,
        leader_judged=_judged(recommendation, leader),
        any_prompt=_any_prompt(recommendation),
        no_words=_no_words(recommendation),
        kept=[_explained(reason) for reason in _support(recommendation, leader)],
        surprised=recommendation.drift > _SURPRISED,
        follows_images=_follows_images(recommendation),
        imported_verdicts=recommendation.imported_verdicts,
        taught_by=list(recommendation.taught_by),
    )


def in_full(recommendation: Recommendation, evidence: Evidence, change: Change) -> Explained:
    """Explain all that led to a recommendation, with the candidates best first, and what would change it.

    Effects are in the policy's unit; the reasons of one checkpoint are sorted by their size. `change` spells
    checkpoints as the recommendation does; `evidence` has `/` in them.
    """
    scores, leader = recommendation.scores, _leader(recommendation)
    called = short_names(scores)
    return Explained(
        policy=recommendation.policy,
        strategy=recommendation.strategy,
        finding=finding(recommendation),
        summary=_why(recommendation, leader, called[leader]),
        grounds=_grounds(recommendation),
        confidence=recommendation.confidence,
        evidence=recommendation.evidence,
        clarity=recommendation.clarity,
        rounds=evidence.rounds,
        progress=_progress(recommendation.progress),
        keywords=[
            KeywordExplained(
                text=keyword.text,
                weight=keyword.weight,
                rounds=evidence.keyword_rounds.get(keyword.text, 0.0),
            )
            for keyword in recommendation.keywords
        ],
        checkpoints=[
            _checkpoint(name, recommendation, evidence) for name in sorted(scores, key=lambda name: -scores[name])
        ],
        would_change=ChangeExplained(
            sentence=_would_change(change, recommendation, called),
            runner_up=change.runner_up,
            behind=change.behind,
            picks=change.picks,
            most_picks=MOST_PICKS,
            without=[WordLeftOutExplained(keyword=word.keyword, checkpoint=word.checkpoint) for word in change.without],
        ),
    )


def progress_sentence(progress: Progress) -> str:
    """How far it is to one checkpoint alone, in words."""
    if progress.alone:
        return "Decides alone for such prompts."
    if progress.of_about is None:
        return f"{progress.pictures} pictures of such prompts are judged, and none of the checkpoints stands out yet."
    return f"{progress.pictures} of about {progress.of_about} pictures until it decides alone for such prompts."


def _progress(progress: Progress | None) -> ProgressExplained | None:
    if progress is None:
        return None
    return ProgressExplained(
        sentence=progress_sentence(progress),
        pictures=progress.pictures,
        of_about=progress.of_about,
        alone=progress.alone,
    )


def _checkpoint(name: str, recommendation: Recommendation, evidence: Evidence) -> CheckpointExplained:
    overall = evidence.overall.get(name.replace("\\", "/"), _NOTHING)
    reasons = [reason for reason in recommendation.reasons if reason.checkpoint == name]
    words = sorted((reason for reason in reasons if reason.keyword), key=lambda reason: -abs(reason.effect))
    return CheckpointExplained(
        checkpoint=name,
        score=recommendation.scores[name],
        selected=round(overall.selected),
        total=round(overall.total),
        overall_effect=sum(reason.effect for reason in reasons if not reason.keyword),
        speak_for=[_explained(reason) for reason in words if reason.effect > 0.0],
        speak_against=[_explained(reason) for reason in words if reason.effect < 0.0],
    )


def _explained(reason: Reason) -> ReasonExplained:
    return ReasonExplained(
        keyword=reason.keyword,
        effect=reason.effect,
        selected=round(reason.selected),
        total=round(reason.total),
    )


def _why(recommendation: Recommendation, leader: str, called: str) -> str:
    """The finding in words, and what images that the person had have to do with it."""
    why = _finding_in_words(recommendation, leader, called)
    if recommendation.imported_verdicts:
        why += f"; {recommendation.imported_verdicts} verdicts on {called} are from images that you had"
    if _follows_images(recommendation):
        why += "; what is compared follows images that you had"
    if recommendation.taught_by:
        why += f"; it also counts what others taught ({', '.join(map(shown_name, recommendation.taught_by))})"
    return why


def _follows_images(recommendation: Recommendation) -> bool:
    return recommendation.follows_images and len(recommendation.checkpoints) > 1


def _finding_in_words(recommendation: Recommendation, leader: str, called: str) -> str:
    """`called` is how the sentence calls the leader."""
    answer = finding(recommendation)
    if answer == "nothing_known":
        if _any_prompt(recommendation):
            return "no verdict on these checkpoints is known yet"
        if _no_words(recommendation):
            return "no word of the prompt could be read"
        return "no verdict on a prompt like this one is known yet"
    if not _judged(recommendation, leader):
        return f"{_LACKING[answer]}, and no verdict on {called} is known yet"
    reasons = _support(recommendation, leader)
    kept = [f'{reason.selected:g} of {reason.total:g} for "{shown_name(reason.keyword)}"' for reason in reasons]
    support = f", with images kept: {_listed(kept)}" if kept else ""
    if recommendation.drift > _SURPRISED:
        support += "; recent verdicts on such prompts were not as expected"
    if answer == "little_data":
        return f"little data on such prompts yet; so far {called} leads{support}"
    if answer == "no_clear_winner":
        return f"no clear winner on such prompts; {called} leads narrowly{support}"
    return f"{called} is the clear winner on such prompts{support}"


def _any_prompt(recommendation: Recommendation) -> bool:
    return recommendation.policy == "global" or recommendation.evidence > 0.0


def _no_words(recommendation: Recommendation) -> bool:
    return all(keyword.text.startswith(NEGATIVE) for keyword in recommendation.keywords)


def _none_judged(recommendation: Recommendation) -> bool:
    """Whether none of the first candidates was judged, as far as a policy gives reasons: others may have been
    judged for such prompts, but these are unknown."""
    return bool(recommendation.reasons) and not any(reason.total for reason in recommendation.reasons)


def _judged(recommendation: Recommendation, checkpoint: str) -> bool:
    if not recommendation.reasons:
        return True
    return any(reason.total for reason in recommendation.reasons if reason.checkpoint == checkpoint)


def _would_change(change: Change, recommendation: Recommendation, called: Mapping[str, str]) -> str:
    """What would put another one first, in words."""
    if not change.runner_up:
        return "Nothing: there is no other candidate."
    if finding(recommendation) == "nothing_known":
        if _no_words(recommendation) and not _any_prompt(recommendation):
            return "A prompt with words."
        return "Any verdict on such a prompt."
    second = called[change.runner_up]
    sentence = f"{second} is second, {change.behind:.2f} behind"
    if change.picks is None:
        sentence += f"; even {MOST_PICKS} more picks of it on such prompts would not put it first."
    elif change.picks == 1:
        sentence += "; one more pick of it on such a prompt would put it first."
    else:
        sentence += f"; about {change.picks} more picks of it on such prompts would put it first."
    without = [
        f'without "{shown_name(word.keyword)}", {called[word.checkpoint]}' for word in change.without[:_NAMED_WORDS]
    ]
    return f"{sentence} First would be, {_listed(without)}." if without else sentence


def _support(recommendation: Recommendation, leader: str) -> list[Reason]:
    """The keywords that speak most for the leader, with the images that say so."""
    reasons = [
        reason
        for reason in recommendation.reasons
        if reason.checkpoint == leader and reason.keyword and reason.effect > 0.0
    ]
    return sorted(reasons, key=lambda reason: -reason.effect)[:_NAMED_WORDS]


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
