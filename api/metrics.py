"""The numbers for a studio's monitoring, in Prometheus' text form (version 0.0.4).

Separate from `schemas/`, whose responses are JSON. No number shows a prompt, a keyword or a person.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import RootModel

from .. import __version__
from ..learning.errors import StoreUnavailable
from .handlers import Api
from .schemas.base import Nothing

if TYPE_CHECKING:
    from ..learning.activity import Activity
    from ..learning.reports import Overview
    from ..learning.service.service import PreferenceService

_PREFIX = "context_checkpoint"

Sample = tuple[Mapping[str, str], float]


class MetricsText(RootModel[str]):
    """Lines of Prometheus' text form."""


async def metrics(api: Api, request: Nothing) -> str:
    async def look(service: PreferenceService) -> tuple[Overview | None, Activity, int]:
        waiting = await service.waiting()
        try:
            return await service.overview(), service.activity, waiting
        except StoreUnavailable:
            if not service.is_offline:
                raise
            return None, service.activity, waiting

    overview, activity, waiting = await api.runtime.run(look)
    return "".join(_text(overview, activity, waiting=waiting))


def _text(overview: Overview | None, activity: Activity, *, waiting: int) -> Iterable[str]:
    yield from _family("info", "gauge", "The version.", [({"version": __version__}, 1)])
    for name, value, help_text in (
        ("server_away", float(overview is None), "1 while the database server is away; then no counts are given."),
        ("entries_waiting", waiting, "Generations and verdicts that wait on this machine's disk."),
    ):
        yield from _family(name, "gauge", help_text, [({}, value)])
    if overview is not None:
        yield from _counts(overview)
    yield from _activity(activity)


def _counts(overview: Overview) -> Iterable[str]:
    for name, value, help_text in (
        ("generations", overview.generations, "Generations that are logged."),
        ("generations_judged", overview.judged, "Of them with a verdict."),
        ("generations_rejected", overview.rejected_all, "Of them of which nothing was kept."),
        ("images", overview.images, "Images that are logged."),
        ("keywords", overview.keywords, "Keywords that something is known of."),
        ("checkpoints", overview.checkpoints, "Checkpoints that were shown."),
        ("preferences", overview.pairs, "Pairs of keyword and checkpoint that something is known of."),
        ("average_confidence", overview.average_confidence or 0.0, "Over all generations, 0 to 1."),
    ):
        yield from _family(name, "gauge", help_text, [({}, value)])
    judged = [({"verdict": "selected"}, overview.selected), ({"verdict": "rejected"}, overview.rejected)]
    yield from _family("images_judged", "gauge", "Images with a verdict.", judged)


def _activity(activity: Activity) -> Iterable[str]:
    decisions = [
        ({"policy": policy, "strategy": strategy}, float(count))
        for (policy, strategy), count in sorted(activity.decisions.items())
    ]
    yield from _family("decisions_total", "counter", "Recommendations of this process.", decisions)
    for name, value, help_text in (
        ("decision_seconds_total", activity.decision_s, "Seconds that they took."),
        ("generations_logged_total", activity.generations, "Generations that this process logged."),
        ("verdicts_recorded_total", activity.verdicts, "Verdicts that this process recorded."),
    ):
        yield from _family(name, "counter", help_text, [({}, value)])


def _family(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> Iterable[str]:
    yield f"# HELP {_PREFIX}_{name} {help_text}\n# TYPE {_PREFIX}_{name} {kind}\n"
    for labels, value in samples:
        label_text = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{_PREFIX}_{name}{{{label_text}}} {value:.17g}\n" if label_text else f"{_PREFIX}_{name} {value:.17g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
