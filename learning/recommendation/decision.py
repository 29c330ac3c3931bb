"""From a question and the evidence to a decision: what `recommend` and `explain` have in common.

Pure, and separate from the service, which fetches the evidence between the two halves: `ask` checks what a
caller wants and brings it into the store's spelling, `decide` applies policy and strategy and gives every
name back as the caller spells it. Chance comes from the question's seed alone, and from nowhere else where
there is one.
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
from ..prompts.keywords import extract_keywords, negative_keywords
from ..values import STAGES, Keyword, Ranking, Recommendation, Stage, Strategy, Thresholds
from . import explanation, strategy
from .counterfactuals import what_would_change

_SEEDS = 2**64
_WORDS_ALONE = frozenset({"counts"})
"""Policies without phrases and negative prompts: the document's rule is exact on its own keywords."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to recommend for, and how. `spelled` has the caller's spelling of a candidate, by the store's;
    `keywords` are the prompt's and then the negative prompt's."""

    prompt: str
    keywords: tuple[Keyword, ...]
    spelled: Mapping[str, str]
    policy: Policy
    stage: Stage
    explore: bool
    max_branches: int
    seed: int | None
    thresholds: Thresholds


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
) -> Question:
    """Check a question.

    Raises
    ------
    InvalidRequest
        If there is no candidate, or the stage or the policy does not exist.
    """
    if stage not in STAGES:
        raise InvalidRequest(f"There is no stage {stage!r}; choose one of: {', '.join(STAGES)}.")
    try:
        chosen = policy_named(policy)
    except ValueError as error:
        raise InvalidRequest(error_text(error), "unknown_policy") from error
    return Question(
        prompt,
        tuple(
            Keyword(stored_text(word.text), word.weight)
            for word in (*extract_keywords(prompt), *negative_keywords(negative))
        ),
        _spellings(candidates),
        chosen,
        stage,
        explore,
        max_branches,
        seed,
        thresholds or Thresholds(),
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with all that led to it. Only the evidence spells checkpoints as the store does."""

    question: Question
    evidence: Evidence
    ranking: Ranking
    strategy: Strategy
    checkpoints: tuple[str, ...]

    def recommendation(self, family: str) -> Recommendation:
        asked, ranking = self.question, self.ranking
        return Recommendation(
            prompt=asked.prompt,
            checkpoints=self.checkpoints,
            confidence=ranking.confidence,
            strategy=self.strategy,
            scores=ranking.scores,
            policy=asked.policy.name,
            keywords=asked.keywords,
            explanation=explanation.one_sentence(
                ranking, self.checkpoints, self.strategy, stage=asked.stage, policy=asked.policy.name
            ),
            stage=asked.stage,
            evidence=ranking.evidence,
            clarity=ranking.clarity,
            utilities=ranking.utilities,
            reasons=ranking.reasons,
            drift=ranking.drift,
            seed=asked.seed,
            family=family,
        )

    def in_full(self) -> explanation.Explained:
        """Tell all, and what would change the answer: that asks the policy a few dozen times more."""
        asked, spelled = self.question, self.question.spelled
        stored = {name: store for store, name in spelled.items()}
        change = what_would_change(
            asked.policy,
            _read_by(asked.policy, asked),
            list(spelled),
            self.evidence,
            _respelled(self.ranking, stored),
        )
        left = tuple(replace(word, checkpoint=spelled[word.checkpoint]) for word in change.without)
        return explanation.in_full(
            self.ranking,
            asked.keywords,
            self.evidence,
            replace(change, runner_up=spelled.get(change.runner_up, ""), without=left),
            policy=self.question.policy.name,
            strategy=self.strategy,
        )


def decide(asked: Question, evidence: Evidence, known: Ranking | None = None) -> Decision:
    """Rank the candidates and choose among them.

    Parameters
    ----------
    known
        The ranking of an earlier decision, of this evidence and a question that differs at most in its seed
        and in how much is shown: only chance is drawn anew.

    Raises
    ------
    InvalidRequest
        If there cannot be that many branches.
    """
    chance, draft = _chance(asked.seed, asked.prompt, evidence.rounds), asked.stage == "draft"
    if known is None:
        read, names = _read_by(asked.policy, asked), list(asked.spelled)
        ranking = _respelled(asked.policy.rank(read, names, evidence, rng=chance, draft=draft), asked.spelled)
    else:
        ranking = replace(known, shown_order=asked.policy.drawn(known, chance, draft=draft))
    try:
        chosen, checkpoints = strategy.choose(
            ranking,
            stage=asked.stage,
            explore=asked.explore,
            thresholds=asked.thresholds,
            max_branches=asked.max_branches,
        )
    except ValueError as error:
        raise InvalidRequest(error_text(error)) from error
    return Decision(asked, evidence, ranking, chosen, checkpoints)


def _read_by(policy: Policy, asked: Question) -> tuple[Keyword, ...]:
    """The keywords that a policy looks at; all are logged, so that every policy may learn from them."""
    if policy.name not in _WORDS_ALONE:
        return asked.keywords
    words = {stored_text(word.text) for word in extract_keywords(asked.prompt, phrases=False)}
    return tuple(word for word in asked.keywords if word.text in words)


def _spellings(candidates: Sequence[str]) -> dict[str, str]:
    """The caller's first spelling of each candidate, by the store's."""
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
    return spelled


def _chance(seed: int | None, prompt: str, rounds: float) -> numpy.random.Generator:
    """Chance that repeats for one seed, prompt and learned state, and differs when any of them does.

    A workflow often keeps its seed; were the draws the same in every round, they would favour the same
    checkpoint for ever.
    """
    if seed is None:
        return numpy.random.default_rng()
    text = blake2b(prompt.encode("utf-8", "replace"), digest_size=8).digest()
    return numpy.random.default_rng([seed % _SEEDS, int.from_bytes(text, "big"), int(rounds * 1024)])


def _respelled(ranking: Ranking, spelled: Mapping[str, str]) -> Ranking:
    if all(stored == name for stored, name in spelled.items()):  # wherever folders are parted by `/`
        return ranking
    return replace(
        ranking,
        order=tuple(spelled[name] for name in ranking.order),
        shown_order=tuple(spelled[name] for name in ranking.shown_order),
        scores={spelled[name]: score for name, score in ranking.scores.items()},
        utilities={spelled[name]: utility for name, utility in ranking.utilities.items()},
        reasons=tuple(replace(reason, checkpoint=spelled[reason.checkpoint]) for reason in ranking.reasons),
    )
