"""Why these checkpoints: one sentence for a node, the whole for whoever asks.

Separate from the policies, which give numbers and no prose, and from the service, which has no opinion. It
keeps four answers apart: nothing is known of such prompts, too little is known, enough is known but no
checkpoint stands out, and one stands out. What a person should do about the second (judge a few more rounds)
is not what helps against the third.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypedDict

from ..message import Part, parts_of
from ..model.evidence import Evidence, PairStatistics
from ..values import Keyword, Ranking, Reason, Recommendation, Stage, Strategy
from .counterfactuals import MOST_PICKS, Change

Finding = Literal["nothing_known", "little_data", "no_clear_winner", "clear_winner"]
Opening = Literal["only_candidate", "draft", "compare", "mostly", "alone", "no_pool", "not_learned"]
"""How the sentence begins: by what is shown."""

_CLEAR = 0.5  # the document's exploit threshold: above it, a confidence is high
_SURPRISED = 0.3  # a doubt that is worth telling: what is known then counts a quarter
_NAMED_WORDS = 3
_LACKING: dict[Finding, str] = {
    "little_data": "little data on such prompts",
    "no_clear_winner": "no clear winner on such prompts",
    "clear_winner": "the others did worse on such prompts",
}
_NOTHING = PairStatistics()


class KeywordExplained(TypedDict):
    """A keyword of the prompt, and in how many comparable rounds it was judged."""

    text: str
    weight: float
    rounds: float


class ReasonExplained(TypedDict):
    """A keyword that speaks for or against a checkpoint (`effect`), and the images that say so."""

    keyword: str
    effect: float
    selected: int
    total: int


class CheckpointExplained(TypedDict):
    """A candidate's score, what all prompts say of it, and which keywords speak for and against it."""

    checkpoint: str
    score: float
    selected: int
    total: int
    overall_effect: float
    speak_for: list[ReasonExplained]
    speak_against: list[ReasonExplained]


class GroundsExplained(TypedDict):
    """What a finding rests on, for whoever says it in words of another language.

    `any_prompt` is for a finding that nothing is known: of these checkpoints at all, and not only for such
    prompts. `kept` has the keywords that speak most for the leader. `surprised` says that verdicts on such
    prompts came out otherwise than foretold of late, so that more is tried.
    """

    finding: Finding
    leader: str
    leader_judged: bool
    any_prompt: bool
    kept: list[ReasonExplained]
    surprised: bool


class ExplanationParts(TypedDict):
    """The one sentence before it is put into words; the checkpoints that it names stand beside it.

    `grounds` is None where nothing was asked of what was learned: one candidate, or a fallback. `problem`
    says why that failed, and `problem_parts` by which keys to say it (see `message`).
    """

    opening: Opening
    grounds: GroundsExplained | None
    pinned: list[str]
    problem: str
    problem_parts: list[Part]


class WordLeftOutExplained(TypedDict):
    """A word of the prompt, and the checkpoint that would be first without it."""

    keyword: str
    checkpoint: str


class ChangeExplained(TypedDict):
    """What would put another checkpoint first; `picks` is None where that many have not been tried out."""

    sentence: str
    runner_up: str
    behind: float
    picks: int | None
    most_picks: int
    without: list[WordLeftOutExplained]


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
    keywords: list[KeywordExplained]
    checkpoints: list[CheckpointExplained]
    would_change: ChangeExplained


class Judged(Protocol):
    """A ranking, or the recommendation that was made of it: how sure, and why."""

    @property
    def confidence(self) -> float: ...
    @property
    def evidence(self) -> float: ...
    @property
    def clarity(self) -> float: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def drift(self) -> float: ...


def finding(ranking: Judged) -> Finding:
    """Which of the four answers a ranking is.

    Confidence is evidence times clarity, so where it is low, the smaller of the two is what is missing.
    """
    if ranking.evidence <= 0.0 or _none_judged(ranking):
        return "nothing_known"
    if ranking.confidence > _CLEAR:
        return "clear_winner"
    return "little_data" if ranking.evidence < ranking.clarity else "no_clear_winner"


def one_sentence(
    ranking: Ranking,
    checkpoints: Sequence[str],
    strategy: Strategy,
    *,
    stage: Stage,
    policy: str,
) -> str:
    """Say in one sentence what is shown and why."""
    if not checkpoints:
        return "There is no checkpoint to recommend."
    names = _listed([_short(name) for name in checkpoints])
    best, leader = _short(checkpoints[0]), ranking.order[0]
    opening = _opening(len(ranking.order), strategy, stage)
    if opening == "only_candidate":
        return f"{best} is the only candidate."
    if opening == "draft":
        why = _why(ranking, leader, _short(leader), policy)
        return f"The draft stage compares several, however sure the recommendation: {names}; {why}."
    if opening == "compare":
        return f"Compare {names}: {_why(ranking, leader, _short(leader), policy)}."
    # A pinned checkpoint may be shown instead of the one that leads.
    why = _why(ranking, leader, "it" if leader == checkpoints[0] else _short(leader), policy)
    if opening == "mostly":
        return f"Mostly {best}, with {_short(checkpoints[1])} beside it: {why}."
    return f"{best} alone: {why}."


def parts(made: Recommendation) -> ExplanationParts:
    """What the one sentence says, for whoever says it in words of another language."""
    if made.fallback:
        opening: Opening = "not_learned" if made.problem else "no_pool"
    else:
        opening = _opening(len(made.scores), made.strategy, made.stage)
    return ExplanationParts(
        opening=opening,
        grounds=None if made.fallback or opening == "only_candidate" else _grounds(made, _leader(made), made.policy),
        pinned=list(made.pinned),
        problem=made.problem,
        problem_parts=list(parts_of(made.problem)),
    )


def _opening(candidates: int, strategy: Strategy, stage: Stage) -> Opening:
    if candidates == 1:
        return "only_candidate"
    if strategy == "explore":
        return "draft" if stage == "draft" else "compare"
    return "mostly" if strategy == "exploit_explore" else "alone"


def _leader(made: Recommendation) -> str:
    """The first of the ranking. Only where a pinned one is shown is it not the first that is shown."""
    first, scores = made.checkpoints[0], made.scores
    best = max(scores, key=lambda name: scores[name])
    return first if scores[first] >= scores[best] else best


def _grounds(ranking: Judged, leader: str, policy: str) -> GroundsExplained:
    return GroundsExplained(
        finding=finding(ranking),
        leader=leader,
        leader_judged=_judged(ranking, leader),
        any_prompt=_any_prompt(ranking, policy),
        kept=[_explained(reason) for reason in _support(ranking, leader)],
        surprised=ranking.drift > _SURPRISED,
    )


def in_full(
    ranking: Ranking,
    keywords: Sequence[Keyword],
    evidence: Evidence,
    change: Change,
    *,
    policy: str,
    strategy: Strategy,
) -> Explained:
    """Tell all that went into a ranking, with the candidates best first, and what would change it.

    Effects are in the policy's unit; the reasons of one checkpoint are sorted by their size. `ranking` and
    `change` spell checkpoints as the caller did; `evidence` has `/` in them.
    """
    return Explained(
        policy=policy,
        strategy=strategy,
        finding=finding(ranking),
        summary=_why(ranking, ranking.order[0], _short(ranking.order[0]), policy) if ranking.order else "no candidate",
        grounds=_grounds(ranking, ranking.order[0], policy) if ranking.order else None,
        confidence=ranking.confidence,
        evidence=ranking.evidence,
        clarity=ranking.clarity,
        rounds=evidence.rounds,
        keywords=[
            KeywordExplained(
                text=keyword.text,
                weight=keyword.weight,
                rounds=evidence.keyword_rounds.get(keyword.text, 0.0),
            )
            for keyword in keywords
        ],
        checkpoints=[_checkpoint(name, ranking, evidence) for name in ranking.order],
        would_change=ChangeExplained(
            sentence=_would_change(change, known=finding(ranking) != "nothing_known"),
            runner_up=change.runner_up,
            behind=change.behind,
            picks=change.picks,
            most_picks=MOST_PICKS,
            without=[WordLeftOutExplained(keyword=left.keyword, checkpoint=left.checkpoint) for left in change.without],
        ),
    )


def _checkpoint(name: str, ranking: Ranking, evidence: Evidence) -> CheckpointExplained:
    overall = evidence.overall.get(name.replace("\\", "/"), _NOTHING)
    reasons = [reason for reason in ranking.reasons if reason.checkpoint == name]
    words = sorted((reason for reason in reasons if reason.keyword), key=lambda reason: -abs(reason.effect))
    return CheckpointExplained(
        checkpoint=name,
        score=ranking.scores[name],
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


def _why(ranking: Ranking, leader: str, called: str, policy: str) -> str:
    """The finding in words; `called` is how the sentence calls the first of the ranking."""
    found = finding(ranking)
    if found == "nothing_known":
        if _any_prompt(ranking, policy):
            return "no verdict on these checkpoints is known yet"
        return "no verdict on a prompt like this one is known yet"
    if not _judged(ranking, leader):
        return f"{_LACKING[found]}, and no verdict on {called} is known yet"
    kept = [f'{reason.selected:g} of {reason.total:g} for "{reason.keyword}"' for reason in _support(ranking, leader)]
    support = f", with images kept: {_listed(kept)}" if kept else ""
    if ranking.drift > _SURPRISED:
        support += "; of late verdicts on such prompts were not as expected"
    if found == "little_data":
        return f"little data on such prompts yet; so far {called} leads{support}"
    if found == "no_clear_winner":
        return f"no clear winner on such prompts; {called} leads narrowly{support}"
    return f"{called} is the clear winner on such prompts{support}"


def _any_prompt(ranking: Judged, policy: str) -> bool:
    return policy == "global" or ranking.evidence > 0.0


def _none_judged(ranking: Judged) -> bool:
    """Nobody said anything of the first candidates, as far as a policy gives reasons: others may have been
    judged for such prompts, but these are unknown."""
    return bool(ranking.reasons) and not any(reason.total for reason in ranking.reasons)


def _judged(ranking: Judged, checkpoint: str) -> bool:
    return not ranking.reasons or any(reason.total for reason in ranking.reasons if reason.checkpoint == checkpoint)


def _would_change(change: Change, *, known: bool) -> str:
    """What would put another one first, in words."""
    if not change.runner_up:
        return "Nothing: there is no other candidate."
    if not known:
        return "Any verdict on such a prompt."
    second = _short(change.runner_up)
    said = f"{second} is second, {change.behind:.2f} behind"
    if change.picks is None:
        said += f"; even {MOST_PICKS} more picks of it on such prompts would not put it first."
    elif change.picks == 1:
        said += "; one more pick of it on such a prompt would put it first."
    else:
        said += f"; about {change.picks} more picks of it on such prompts would put it first."
    left = [f'without "{one.keyword}", {_short(one.checkpoint)}' for one in change.without[:_NAMED_WORDS]]
    return f"{said} First would be, {_listed(left)}." if left else said


def _support(ranking: Judged, leader: str) -> list[Reason]:
    """The keywords that speak most for the leader, with the images that say so."""
    reasons = [
        reason for reason in ranking.reasons if reason.checkpoint == leader and reason.keyword and reason.effect > 0.0
    ]
    return sorted(reasons, key=lambda reason: -reason.effect)[:_NAMED_WORDS]


def _short(checkpoint: str) -> str:
    name = checkpoint.replace("\\", "/").rsplit("/", 1)[-1]
    return name.removesuffix(".safetensors").removesuffix(".ckpt")


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
