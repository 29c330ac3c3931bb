"""What is used, and said, where a pool is empty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..learning.message import joined, message
from ..learning.values import Recommendation, Stage, Strategy
from .pool import Pool, PoolRules

_NAMES_PER_REASON = 5


# --- an empty pool, and a failed recommendation


def no_pool_line(pool: Pool, stage: Stage) -> str:
    """Say, for the log and the explanation, that the fallback stands in for an empty pool."""
    return message(
        "no_pool",
        "No checkpoint pool for {family}_{stage}, using default: {name}",
        family=pool.family,
        stage=stage,
        name=pool.fallback,
    )


def empty_pool_message(rules: PoolRules, pool: Pool, folders: Iterable[str]) -> str:
    """Say where was looked, by which rule, what it left out and what to do, for a pool without fallback."""
    left_out = sum(len(names) for names in pool.excluded.values())
    nowhere = message("no_folder", "no folder at all")
    said = [
        message("no_checkpoint_left", "No checkpoint is left to recommend."),
        message(
            "looked_in",
            "Looked in {folders}: {count} files.",
            folders=", ".join(folders) or nowhere,
            count=left_out or message("no_files", "no"),
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
        reasons = (joined([reason, _some(names)], by=": ") for reason, names in pool.excluded.items())
        said.append(message("left_out", "Left out: {reasons}.", reasons=joined(reasons, by="; ")))
    if pool.fallback_problem:
        said.append(message("and_fallback", "And {problem}.", problem=pool.fallback_problem))
    said.append(
        message("loosen_rule", "Loosen the rule or choose a fallback checkpoint.")
        if left_out
        else message("put_checkpoint", "Put a checkpoint there.")
    )
    return joined(said)


def _quoted(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"'{', '.join(lines)}'" if lines else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_PER_REASON])
    more = len(names) - _NAMES_PER_REASON
    return message("some_names", "{names} and {count} more", names=shown, count=more) if more > 0 else shown


def fallback_recommendation(prompt: str, pool: Pool, stage: Stage) -> Recommendation:
    """Recommend an empty pool's fallback; the caller logs `no_pool_line`, which is its explanation too."""
    return _bypass(prompt, (pool.fallback,), "exploit", pool.family, stage, no_pool_line(pool, stage))


def unlearned_recommendation(
    prompt: str, pool: Pool, stage: Stage, *, explore: bool, max_branches: int, reason: str
) -> Recommendation:
    """Recommend without what was learned, as asking it failed: the fallback, else the first candidates."""
    if pool.fallback:
        names: tuple[str, ...] = (pool.fallback,)
    else:
        names = pool.candidates[: max_branches if explore or stage == "draft" else 1]
    strategy: Strategy = "exploit" if len(names) == 1 else "explore"
    what = "the fallback" if pool.fallback else "the first of the pool"
    explanation = f"Nothing learned was used: {reason} Using {what} instead: {', '.join(names)}"
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
