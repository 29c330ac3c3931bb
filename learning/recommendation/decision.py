"""The way of a prompt to an answer.

    question = ask(prompt, candidates, ...)     # checked; keywords read; banned candidates left out
    decision = decide(question, evidence)       # ranked by the policy; branches chosen; pins put in
    decision.recommendation(family)             # the answer in short, for a plan
    decision.explained()                        # the answer in full, with what would change it

All of it is pure. Separate from the service, which fetches the evidence between the first two steps: so a decision
can be kept and given again for as long as the evidence is the same (`cache`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy

from ..errors import InvalidRequest
from ..message import error_text, message
from ..model.evidence import Evidence
from ..names import stored_name, stored_text
from ..policies import Policy, policy_named
from ..policies.model_policy import ModelPolicy
from ..prompts.keywords import extract_keywords, negative_keywords
from ..values import HALF_LIFE, STAGES, Cost, Keyword, Precedence, Progress, Ranking, Recommendation, Stage, Thresholds
from . import explanation, pins, strategy, tie_break
from .counterfactuals import what_would_change
from .progress import progress

_SEEDS = 2**64
_POLICIES_WITHOUT_PHRASES = frozenset({"counts"})
"""Nor do they read negative prompts: the document's rule is exact on its own keywords."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to recommend for, and how: with the same evidence and a seed, equal questions have one answer.

    Attributes
    ----------
    keywords
        The prompt's, then the negative prompt's.
    candidates
        As the caller spells them, each once and without the banned ones.
    pinned
        Checkpoints to show in any case, as the store spells them.
    half_life
        How fast evidence fades (`values.HALF_LIFE`).
    costs
        Of candidates, as far as known; they decide between equally good ones.
    """

    prompt: str
    keywords: tuple[Keyword, ...]
    candidates: tuple[str, ...]
    policy: Policy
    stage: Stage
    explore: bool
    max_branches: int
    seed: int | None
    thresholds: Thresholds
    pinned: frozenset[str] = frozenset()
    half_life: float = HALF_LIFE
    costs: tuple[tuple[str, Cost], ...] = ()

    @property
    def spelled(self) -> dict[str, str]:
        """The caller's spelling of each candidate, by the store's."""
        return {stored_name(name): name for name in self.candidates}

    @property
    def read_keywords(self) -> tuple[Keyword, ...]:
        """The keywords that the policy looks at; all are logged, so that every policy may learn from them."""
        if self.policy.name not in _POLICIES_WITHOUT_PHRASES:
            return self.keywords
        words = {stored_text(word.text) for word in extract_keywords(self.prompt, phrases=False)}
        return tuple(word for word in self.keywords if word.text in words)


def ask(
    prompt: str,
    candidates: Sequence[str],
    *,
    negative: str = "",
    policy: str,
    stage: Stage,
    explore: bool,
    max_branches: int,
    seed: int | None,
    thresholds: Thresholds | None,
    curation: pins.Curation | None = None,
    half_life: float = HALF_LIFE,
    costs: Mapping[str, Cost] | None = None,
) -> Question:
    """Check a question and read its prompts.

    Raises
    ------
    InvalidRequest
        If there is no candidate that is not banned, or the stage or the policy does not exist.
    """
    curation = curation or pins.Curation()
    allowed = pins.allowed(candidates, curation)
    if stage not in STAGES:
        raise InvalidRequest(f"There is no stage {stage!r}; choose one of: {', '.join(STAGES)}.")
    try:
        chosen = policy_named(policy)
    except ValueError as error:
        raise InvalidRequest(error_text(error), "unknown_policy") from error
    words = (*extract_keywords(prompt), *negative_keywords(negative))
    return Question(
        prompt,
        tuple(Keyword(stored_text(word.text), word.weight) for word in words),
        _each_once(allowed),
        chosen,
        stage,
        explore,
        max_branches,
        seed,
        thresholds or Thresholds(),
        curation.pinned_names,
        half_life,
        tuple((name, costs[name]) for name in allowed if name in costs) if costs else (),
    )


def decide(question: Question, evidence: Evidence) -> Decision:
    """Rank the candidates, choose among them, and put the pinned ones where they belong.

    Raises
    ------
    InvalidRequest
        If there cannot be that many branches.
    """
    evidence = replace(evidence, half_life=question.half_life)
    ranking = question.policy.rank(
        question.read_keywords,
        list(question.spelled),
        evidence,
        rng=_generator(question.seed, question.prompt, evidence.rounds),
        draft=question.stage == "draft",
    )
    ranking = _respelled(ranking, question.spelled)
    learned = _chosen(question, ranking)
    precedence = tie_break.precedence(ranking, learned.checkpoints, dict(question.costs))
    if precedence is not None:
        others = (name for name in ranking.shown_order if name != precedence.checkpoint)
        ranking = replace(ranking, shown_order=(precedence.checkpoint, *others))
        learned = _chosen(question, ranking)
    branches = question.max_branches if question.explore else 1
    shown = pins.with_pinned(learned, ranking.shown_order, question.pinned, branches)
    return Decision(question, evidence, ranking, learned, shown, precedence)


def _chosen(question: Question, ranking: Ranking) -> strategy.Choice:
    try:
        return strategy.choose(
            ranking,
            stage=question.stage,
            explore=question.explore,
            thresholds=question.thresholds,
            max_branches=question.max_branches,
        )
    except ValueError as error:
        raise InvalidRequest(error_text(error)) from error


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with all that led to it; checkpoints are spelled as in the question, but for `evidence`.

    Attributes
    ----------
    learned
        What the verdicts alone say to show.
    shown
        The same with the pinned checkpoints among it.
    precedence
        Which of equally good ones goes first because of its cost; None: costs change nothing.
    """

    question: Question
    evidence: Evidence
    ranking: Ranking
    learned: strategy.Choice
    shown: strategy.Choice
    precedence: Precedence | None = None

    @property
    def pinned(self) -> tuple[str, ...]:
        """The pinned ones among what is shown; empty where pins changed nothing."""
        if self.shown == self.learned:
            return ()
        return tuple(name for name in self.shown.checkpoints if stored_name(name) in self.question.pinned)

    def recommendation(self, family: str = "") -> Recommendation:
        """Give the answer in short, with one sentence that says why."""
        question, ranking, habit = self.question, self.ranking, self.evidence.habit
        unexplained = Recommendation(
            prompt=question.prompt,
            checkpoints=self.shown.checkpoints,
            confidence=ranking.confidence,
            strategy=self.shown.strategy,
            scores=ranking.scores,
            policy=question.policy.name,
            keywords=question.keywords,
            explanation="",
            stage=question.stage,
            evidence=ranking.evidence,
            clarity=ranking.clarity,
            utilities=ranking.utilities,
            reasons=ranking.reasons,
            drift=ranking.drift,
            seed=question.seed,
            family=family,
            pinned=self.pinned,
            precedence=self._shown_precedence,
            follows_images=self._follows_images,
            imported_verdicts=0 if habit is None else habit.judged.get(stored_name(ranking.order[0]), 0),
            taught_by=self._taught_by,
            progress=self._progress,
        )
        return replace(unexplained, explanation=explanation.one_sentence(unexplained))

    @property
    def _shown_precedence(self) -> Precedence | None:
        """None where a pinned checkpoint is first."""
        is_first = self.precedence is not None and self.precedence.checkpoint == self.shown.checkpoints[0]
        return self.precedence if is_first else None

    @property
    def _progress(self) -> Progress | None:
        """None where more verdicts would not change how many are shown: a draft, one branch at most, pins."""
        question = self.question
        if not question.explore or question.stage == "draft" or question.max_branches == 1 or self.pinned:
            return None
        return progress(self.ranking, question.thresholds)

    @property
    def _follows_images(self) -> bool:
        """Whether a policy that reads habits had one to read, of a candidate."""
        habit = self.evidence.habit
        return (
            habit is not None
            and bool(self.ranking.utilities)
            and any(name in habit.names for name in self.question.spelled)
        )

    @property
    def _taught_by(self) -> tuple[str, ...]:
        """Whose verdicts matter besides the person's own, to a policy that reads them."""
        if self.evidence.shared is None or not isinstance(self.question.policy, ModelPolicy):
            return ()
        own = {word.text: self.evidence.keyword_rounds.get(word.text, 0.0) for word in self.question.keywords}
        return self.evidence.shared.speaking(own, list(self.question.spelled))

    def explained(self) -> explanation.Explained:
        """Explain in full, with what would change the answer; that asks the policy a few dozen times more."""
        question, spelled = self.question, self.question.spelled
        change = what_would_change(question.policy, question.read_keywords, list(spelled), self.evidence)
        change = replace(
            change,
            runner_up=spelled.get(change.runner_up, ""),
            without=tuple(replace(word, checkpoint=spelled[word.checkpoint]) for word in change.without),
        )
        return explanation.in_full(self.recommendation(), self.evidence, change)


def _each_once(candidates: Sequence[str]) -> tuple[str, ...]:
    """The caller's first spelling of each candidate."""
    spelled: dict[str, str] = {}
    for candidate in candidates:
        if candidate.strip():
            spelled.setdefault(stored_name(candidate), candidate)
    if not spelled:
        raise InvalidRequest(
            message(
                "no_candidates",
                "There is no checkpoint to choose from. Name at least one candidate, or widen the pool's rules.",
            ),
            "no_candidates",
        )
    return tuple(spelled.values())


def _generator(seed: int | None, prompt: str, rounds: float) -> numpy.random.Generator:
    """Chance that repeats for one seed, prompt and learned state, and differs when any of them does.

    A workflow often keeps its seed; were the draws the same in every round, they would favour the same
    checkpoint for ever.
    """
    if seed is None:
        return numpy.random.default_rng()
    text = blake2b(prompt.encode("utf-8", "replace"), digest_size=8).digest()
    return numpy.random.default_rng([seed % _SEEDS, int.from_bytes(text, "big"), int(rounds * 1024)])


def _respelled(ranking: Ranking, spelled: Mapping[str, str]) -> Ranking:
    if all(stored == name for stored, name in spelled.items()):  # wherever folders are separated by `/`
        return ranking
    return replace(
        ranking,
        order=tuple(spelled[name] for name in ranking.order),
        shown_order=tuple(spelled[name] for name in ranking.shown_order),
        scores={spelled[name]: score for name, score in ranking.scores.items()},
        utilities={spelled[name]: utility for name, utility in ranking.utilities.items()},
        reasons=tuple(replace(reason, checkpoint=spelled[reason.checkpoint]) for reason in ranking.reasons),
    )
