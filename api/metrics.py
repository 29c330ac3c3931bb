"""The numbers for a studio's monitoring, in Prometheus' text form (version 0.0.4).

Separate from `schemas/`, whose responses are JSON. No number shows a prompt, a keyword or a person.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic import RootModel

from .. import __version__
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
    async def look(service: PreferenceService) -> tuple[Overview, Activity, bool]:
        return await service.overview(), service.activity, service.is_offline

    overview, activity, offline = await api.runtime.run(look)
    return "".join(_text(overview, activity, offline=offline))


def _text(overview: Overview, activity: Activity, *, offline: bool) -> Iterable[str]:
    yield from _family("info", "gauge", "The version.", [({"version": __version__}, 1)])
    for name, value, help_text in (
        ("generations", overview.generations, "Generations that are logged."),
        ("generations_judged", overview.judged, "Of them with a verdict."),
        ("generations_rejected", overview.rejected_all, "Of them of which nothing was kept."),
        ("images", overview.images, "Images that are logged."),
        ("keywords", overview.keywords, "Keywords that something is known of."),
        ("checkpoints", overview.checkpoints, "Checkpoints that were shown."),
        ("preferences", overview.pairs, "Pairs of keyword and checkpoint that something is known of."),
        ("average_confidence", overview.average_confidence or 0.0, "Over all generations, 0 to 1."),
        ("server_away", float(offline), "1 while the database server is away and verdicts wait on disk."),
    ):
        yield from _family(name, "gauge", help_text, [({}, value)])
    judged = [({"verdict": "selected"}, overview.selected), ({"verdict": "rejected"}, overview.rejected)]
    yield from _family("images_judged", "gauge", "Images with a verdict.", judged)
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
