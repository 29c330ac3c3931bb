"""`context-checkpoint mcp`: the service as tools of the Model Context Protocol, for an AI agent that makes images.

Separate from `commands` because it alone needs the package `mcp`, an extra. The tools are the commands of the same
names: the same questions to the same service, and the same settings. No tool shows a prompt, only what was asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import Field, ValidationError

from .. import __version__
from ..api.schemas.base import MOST_CANDIDATES, Identifier, Name, Prompt, ResponseModel
from ..api.schemas.explain import ChangeResponse, CheckpointExplainedResponse, ExplainResponse, KeywordExplainedResponse
from ..api.schemas.generations import FeedbackRequest
from ..api.schemas.loras import MOST_AVAILABLE
from ..api.schemas.parameters import Value
from ..learning.errors import InvalidRequest, LearningError
from ..learning.loras import MOST_RECOMMENDED, LoraCandidate
from ..learning.message import checked, error_text
from ..learning.parameters import ParameterName
from ..learning.service.service import PreferenceService
from ..learning.values import Generation, Recommendation, Stage, Strategy
from ..runtime.runtime import Runtime
from .folder import candidates_in, files_in, loras_in
from .outcome import CommandFailed, WrongUse

SESSION = "mcp"
"""The session of generations that were drawn elsewhere and judged through a tool."""

_INSTRUCTIONS = (
    "Context Checkpoint learns from the images that a person keeps which Stable Diffusion checkpoint suits which "
    "prompt. Ask `recommend` before you make images, show the person the images, and tell `feedback` which of them the "
    "person kept. Only the person's own choice is feedback, never your guess. `explain` says why."
)

Candidates = Annotated[
    tuple[Name, ...] | None,
    Field(
        max_length=MOST_CANDIDATES,
        description="File names of the checkpoints to choose from, as ComfyUI lists them. They should have one "
        "architecture. Without it: the files of the server's --folder.",
    ),
]
Negative = Annotated[Prompt, Field(description="The negative prompt, if there is one.")]
Checkpoint = Annotated[Name | None, Field(description="The checkpoint that will draw the image; none: any.")]
Counts = Annotated[
    dict[Name, Annotated[int, Field(ge=0, le=10_000)]] | None,
    Field(description='Images by checkpoint, such as {"dreamShaperXL.safetensors": 2}.'),
]
Positions = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...] | None, Field(description="Images by their position, from 0.")
]

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_RECORDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


class Plan(ResponseModel):
    """Which checkpoints to draw with."""

    checkpoints: tuple[str, ...] = Field(description="One to three, best first. Draw with each of them.")
    explanation: str
    confidence: float = Field(description="0..1")
    strategy: Strategy
    scores: dict[str, float] = Field(description="The score of every candidate; only differences say something.")


class Why(ResponseModel):
    """Why a prompt would get its checkpoints."""

    summary: str
    confidence: float = Field(description="0..1")
    keywords: tuple[KeywordExplainedResponse, ...]
    checkpoints: tuple[CheckpointExplainedResponse, ...] = Field(description="Best first, with what speaks for each.")
    would_change: ChangeResponse = Field(description="What would put another checkpoint first.")


class Verdict(ResponseModel):
    """What is recorded now."""

    generation_id: str = Field(description="Give it to `feedback` to replace or withdraw this verdict.")
    selected: int
    rejected: int
    without_verdict: int


class ParameterValue(ResponseModel):
    """A value for one setting."""

    value: Value
    confidence: float = Field(description="0: nothing is known, and the value is the default.")
    reason: str
    worth_trying: int | float | str | None = Field(description="A value to compare it with, if there is one.")


class ChosenLora(ResponseModel):
    name: str
    strength: float
    reason: str


class ChosenLoras(ResponseModel):
    """Which LoRAs to use; possibly none."""

    loras: tuple[ChosenLora, ...]
    confidence: float = Field(description="Of the first; 0 where none is recommended.")
    reason: str


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the files are that are meant where a tool is given no names."""

    checkpoints: Path | None = None
    loras: Path | None = None

    def fingerprints(self, named: object) -> Mapping[str, str]:
        """Name and content of each checkpoint file, where the folder is meant."""
        if named is not None or self.checkpoints is None:
            return {}
        return {file.name: file.fingerprint for file in files_in(self.checkpoints)}

    def candidates(self, named: tuple[str, ...] | None) -> tuple[str, ...]:
        if named is not None:
            return named
        if self.checkpoints is None:
            raise WrongUse("Name the candidates, or start the server with --folder DIR.")
        return candidates_in(self.checkpoints, "", "")

    def available(self, named: tuple[str, ...] | None) -> list[str | LoraCandidate]:
        if named is not None:
            return list(named)
        if self.loras is None:
            raise WrongUse("Name the LoRAs that are available, or start the server with --loras DIR.")
        return loras_in(self.loras, "", "")


class Server(MCPServer[Any]):
    """The SDK's server, with the pack's own messages where a call fails."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        known = next((tool.input_schema for tool in await self.list_tools() if tool.name == name), None)
        if known and (unknown := sorted(arguments.keys() - known["properties"].keys())):
            raise ToolError(f"{name} takes no {', '.join(unknown)}. It takes: {', '.join(known['properties'])}.")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
                raise ToolError(_problems(cause)) from cause
            if isinstance(cause, LearningError | WrongUse | CommandFailed) or type(cause) is ValueError:
                raise ToolError(error_text(cause)) from cause
            raise


def _problems(error: ValidationError) -> str:
    """What is wrong with the arguments of a call."""
    places = {each["loc"]: checked(each) for each in error.errors(include_url=False)}
    return "; ".join(f"{'.'.join(map(str, place))}: {text}" if place else text for place, text in places.items())


def serve(arguments: argparse.Namespace, runtime: Runtime) -> None:
    """Answer on stdin and stdout until the client closes them."""
    folders = Folders(*(None if each is None else Path(each) for each in (arguments.folder, arguments.loras)))
    for folder in (folders.checkpoints, folders.loras):
        if folder is not None and not folder.is_dir():
            raise WrongUse(f"{folder} is not a folder.")
    make_server(runtime, folders).run("stdio")


def make_server(runtime: Runtime, folders: Folders) -> Server:
    server = Server("context-checkpoint", instructions=_INSTRUCTIONS, version=__version__)
    for function in (_recommend, _explain, _recommend_parameter, _recommend_loras):
        server.add_tool(function(runtime, folders), annotations=_READS)
    server.add_tool(_feedback(runtime, folders), annotations=_RECORDS)
    return server


_Tool = Callable[..., Awaitable[ResponseModel]]


def _recommend(runtime: Runtime, folders: Folders) -> _Tool:
    async def recommend(
        prompt: Prompt,
        candidates: Candidates = None,
        negative: Negative = "",
        stage: Annotated[Stage, Field(description="A draft always tries several.")] = "final",
        explore: Annotated[bool, Field(description="False: only the best one, however unsure it is.")] = True,
    ) -> Plan:
        """Recommend one to three checkpoints for a prompt, best first. Changes nothing.

        Where little is known, it names several: make images with each, and let the person choose.
        """
        names, present = folders.candidates(candidates), folders.fingerprints(candidates)
        thresholds = runtime.settings.thresholds

        async def ask(service: PreferenceService) -> Recommendation:
            if present:  # a renamed file keeps what was learned of it
                runtime.follow(await service.meet_files(present))
            return await service.recommend(
                prompt, names, stage=stage, explore=explore, thresholds=thresholds, negative=negative
            )

        return Plan.model_validate(await runtime.run(ask))

    return recommend


def _explain(runtime: Runtime, folders: Folders) -> _Tool:
    async def explain(prompt: Prompt, candidates: Candidates = None, negative: Negative = "") -> Why:
        """Explain in full why `recommend` would answer a prompt as it does, and what would change it."""
        names, thresholds = folders.candidates(candidates), runtime.settings.thresholds
        explained = await runtime.run(
            lambda service: service.explain(prompt, names, thresholds=thresholds, negative=negative)
        )
        return Why.model_validate(ExplainResponse.model_validate(explained))

    return explain


def _feedback(runtime: Runtime, folders: Folders) -> _Tool:
    async def feedback(
        generation_id: Annotated[Identifier | None, Field(description="From ComfyUI's nodes or from here.")] = None,
        prompt_id: Annotated[Identifier | None, Field(description="ComfyUI's own id of a run of these nodes.")] = None,
        prompt: Annotated[Prompt | None, Field(description="For images that nothing has logged yet.")] = None,
        negative: Negative = "",
        selected: Counts = None,
        rejected: Counts = None,
        selected_images: Positions = None,
        rejected_images: Positions = None,
    ) -> Verdict:
        """Record which images the person kept (selected) and which not (rejected).

        Say which images they are by one of these: `generation_id`; `prompt_id`, of a run in ComfyUI with the nodes of
        Context Checkpoint; or `prompt`, for images that were made without these nodes. With `prompt` give counts by
        checkpoint, of all images that the person saw. A verdict replaces the former one of its generation; an empty
        one withdraws it. Images that are not mentioned teach nothing.
        """
        if sum(each is not None for each in (generation_id, prompt_id, prompt)) != 1:
            raise WrongUse("Give one of generation_id, prompt_id and prompt.")
        try:
            verdict = FeedbackRequest(
                generation_id=generation_id or prompt_id or SESSION,
                selected=selected,
                rejected=rejected,
                selected_images=selected_images,
                rejected_images=rejected_images,
            )
        except ValidationError as error:
            raise WrongUse(_problems(error)) from error

        async def record(service: PreferenceService) -> Verdict:
            if prompt is not None:
                generation = await _log(service, prompt, negative, verdict)
            elif prompt_id is not None:
                generation = await _generation_of(service, prompt_id)
            else:
                generation = verdict.generation_id
            return _recorded(
                await service.record_feedback(
                    generation,
                    verdict.selected,
                    verdict.rejected,
                    selected_images=verdict.selected_images,
                    rejected_images=verdict.rejected_images,
                )
            )

        return await runtime.run(record)

    return feedback


async def _log(service: PreferenceService, prompt: str, negative: str, verdict: FeedbackRequest) -> str:
    """Log images that were made elsewhere as one generation, and return its id."""
    if verdict.selected_images is not None or verdict.rejected_images is not None:
        raise WrongUse("With prompt, give counts by checkpoint: selected and rejected.")
    shown: dict[str, int] = {}
    for counts in (verdict.selected or {}, verdict.rejected or {}):
        for name, count in counts.items():
            shown[name] = shown.get(name, 0) + count
    recommendation = await service.recommend(prompt, tuple(shown), negative=negative)
    return await service.log_generation(recommendation, shown, SESSION)


async def _generation_of(service: PreferenceService, prompt_id: str) -> str:
    """The one generation of a run in ComfyUI."""
    found = await service.generations(limit=10, prompt_id=prompt_id)
    if not found:
        raise InvalidRequest(
            f"No generation of ComfyUI's run {prompt_id[:80]} is logged. Wait until the run has ended; the images of a "
            "graph without the nodes of Context Checkpoint are judged with prompt instead."
        )
    if len(found) > 1:
        ids = ", ".join(generation.id for generation in found)
        raise InvalidRequest(f"That run has several generations. Judge each by its generation_id: {ids}.")
    return found[0].id


def _recorded(generation: Generation) -> Verdict:
    verdicts = [image.verdict for image in generation.images]
    return Verdict(
        generation_id=generation.id,
        selected=verdicts.count("selected"),
        rejected=verdicts.count("rejected"),
        without_verdict=verdicts.count(None),
    )


def _recommend_parameter(runtime: Runtime, folders: Folders) -> _Tool:
    async def recommend_parameter(
        prompt: Prompt,
        name: ParameterName,
        default: Annotated[Value, Field(description='The value where nothing is known. A size is "832x1216".')],
        checkpoint: Checkpoint = None,
        negative: Negative = "",
    ) -> ParameterValue:
        """Recommend a value for one setting of an image, such as steps or cfg. Changes nothing."""
        return ParameterValue.model_validate(
            await runtime.run(
                lambda service: service.recommend_parameter(prompt, name, default, checkpoint, negative=negative)
            )
        )

    return recommend_parameter


def _recommend_loras(runtime: Runtime, folders: Folders) -> _Tool:
    async def recommend_loras(
        prompt: Prompt,
        available: Annotated[
            tuple[Name, ...] | None,
            Field(
                max_length=MOST_AVAILABLE,
                description="File names of LoRAs that fit the checkpoint. Without it: those of the server's --loras.",
            ),
        ] = None,
        checkpoint: Checkpoint = None,
        negative: Negative = "",
        most: Annotated[int, Field(ge=0, le=MOST_RECOMMENDED, description="How many at most.")] = 2,
    ) -> ChosenLoras:
        """Recommend LoRAs for a prompt, with their strengths, or none. Changes nothing."""
        there = folders.available(available)
        answer = await runtime.run(
            lambda service: service.recommend_loras(prompt, checkpoint, there, negative=negative, most=most)
        )
        return ChosenLoras(
            loras=tuple(
                ChosenLora(name=lora, strength=strength, reason=reason)
                for (lora, strength), reason in zip(answer.loras, answer.reasons, strict=False)
            ),
            confidence=answer.confidence,
            reason=answer.reasons[0],
        )

    return recommend_loras
