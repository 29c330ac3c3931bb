"""What is recommended, and which message explains it, when a pool is empty or the recommendation fails.

Separate from `pool`, which only applies the rules. Pure: it returns recommendations and messages and logs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..learning.message import joined, message
from ..learning.names import shown_name
from ..learning.values import Recommendation, Stage, Strategy
from .pool import Pool, PoolRules

_NAMES_PER_REASON = 5


def no_pool_line(pool: Pool, stage: Stage) -> str:
    """Say, for the log and the explanation, that the fallback replaces an empty pool."""
    return message(
        "no_pool",
        "No checkpoint pool for {family}_{stage}, using default: {name}",
        family=pool.family,
        stage=stage,
        name=pool.fallback,
    )


def empty_pool_message(rules: PoolRules, pool: Pool, folders: Iterable[str]) -> str:
    """Explain an empty pool without fallback: the folders, the rule, what it excluded, and what to change."""
    excluded_count = sum(len(names) for names in pool.excluded.values())
    no_folder = message("no_folder", "no folder at all")
    sentences = [
        message("no_checkpoint_left", "No checkpoint is left to recommend."),
        message(
            "looked_in",
            "Looked in {folders}: {count} files.",
            folders=", ".join(folders) or no_folder,
            count=excluded_count or message("no_files", "no"),
        ),
        message(
            "the_rule",
            "The rule: family {family}, include {include}, exclude {exclude}.",
            family=rules.family,
            include=_quoted(rules.include) or message("everything", "everything"),
            exclude=_quoted(rules.exclude) or message("nothing", "nothing"),
        ),
    ]
    if pool.excluded:
        reasons = (joined([reason, _first_names(names)], by=": ") for reason, names in pool.excluded.items())
        sentences.append(message("left_out", "Left out: {reasons}.", reasons=joined(reasons, by="; ")))
    if pool.fallback_problem:
        sentences.append(message("and_fallback", "And {problem}.", problem=pool.fallback_problem))
    sentences.append(
        message("loosen_rule", "Loosen the rule or choose a fallback checkpoint.")
        if excluded_count
        else message("put_checkpoint", "Put a checkpoint there.")
    )
    return joined(sentences)


def _quoted(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"'{', '.join(lines)}'" if lines else ""


def _first_names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_PER_REASON])
    more = len(names) - _NAMES_PER_REASON
    return message("some_names", "{names} and {count} more", names=shown, count=more) if more > 0 else shown


def fallback_recommendation(prompt: str, pool: Pool, stage: Stage) -> Recommendation:
    """Recommend an empty pool's fallback; the caller logs `no_pool_line`, which is its explanation too."""
    return _bypass(prompt, (pool.fallback,), "exploit", pool.family, stage, no_pool_line(pool, stage))


def unlearned_recommendation(
    prompt: str, pool: Pool, stage: Stage, *, explore: bool, max_branches: int, reason: str
) -> Recommendation:
    """Recommend without the learned data, which could not be used: the fallback, else the first candidates."""
    if pool.fallback:
        names: tuple[str, ...] = (pool.fallback,)
    else:
        names = pool.candidates[: max_branches if explore or stage == "draft" else 1]
    strategy: Strategy = "exploit" if len(names) == 1 else "explore"
    replacement = "the fallback" if pool.fallback else "the first of the pool"
    explanation = f"Nothing learned was used: {reason} Using {replacement} instead: {', '.join(map(shown_name, names))}"
    return replace(_bypass(prompt, names, strategy, pool.family, stage, explanation), problem=reason)


def _bypass(
    prompt: str, names: tuple[str, ...], strategy: Strategy, family: str, stage: Stage, explanation: str
) -> Recommendation:
    return Recommendation(
        prompt=prompt,
        checkpoints=names,
        confidence=0.0,
        strategy=strategy,
        scores={},
        policy="",
        keywords=(),
        explanation=explanation,
        stage=stage,
        family=family,
        fallback=True,
    )
