"""What a person may set about learning, as one value.

Separate from `runtime.settings`, which knows files, limits and everything else that a person may set: whoever opens a
service in a script needs none of that. It refuses to be changed; whoever wants other settings hands over another value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..policies import DEFAULT_POLICY
from ..recommendation.decision_log import DecisionLogMode
from ..recommendation.pins import Curation
from ..values import HALF_LIFE, Thresholds


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """How one service recommends, and what it keeps.

    Attributes
    ----------
    policy
        Used where a question names none.
    thresholds
        Used where a question gives none.
    half_life
        After how many further verdicts on a checkpoint, for prompts of the same kind, a verdict counts half; 0: it
        never fades.
    curation
        Checkpoints that are shown, and checkpoints that are never candidates, whatever was learned.
    keep_prompts
        False: a prompt's text is not stored, only its keywords.
    retention_days
        After how many days a generation and what it taught are forgotten; 0: never.
    backups_kept
        How many daily copies of a database file are kept; 0: none.
    decision_log
        What the log says of each decision.
    """

    policy: str = DEFAULT_POLICY
    thresholds: Thresholds = field(default_factory=Thresholds)
    half_life: float = HALF_LIFE
    curation: Curation = field(default_factory=Curation)
    keep_prompts: bool = True
    retention_days: int = 0
    backups_kept: int = 0
    decision_log: DecisionLogMode = ""


SettingsReader = Callable[[], LearningSettings]
"""Gives the settings as they are now. It is called once per use case, in any thread, and must not block for long."""
