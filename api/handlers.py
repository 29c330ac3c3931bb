"""What the routes do: thin handlers between a checked request and the service.

Separate from `nodes/` because they work without ComfyUI. What only ComfyUI knows (its checkpoint files, the
loaders kept in memory) comes from a `Host`; a route that needs one is refused where there is none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Protocol

from .. import __version__
from ..checkpoints.fallback import (
    empty_pool_message,
    fallback_recommendation,
    no_pool_line,
    unlearned_recommendation,
)
from ..checkpoints.families import UNKNOWN
from ..checkpoints.lora_files import LoraFile
from ..checkpoints.patterns import printable
from ..checkpoints.pool import CheckpointFile, Pool, PoolRules, known_families
from ..checkpoints.profiles import FromFiles, SamplerNames, of_name, with_profile
from ..images.sources import ImageSources
from ..learning.errors import StoreUnavailable
from ..learning.loras import LoraCandidate, LoraRecommendation
from ..learning.message import Message, error_text, message
from ..learning.names import comparable, shown_name, stored_name
from ..learning.profiles import Profile
from ..learning.values import Branch, Cost, Generation, Recommendation, Stage, Thresholds
from ..recipes import Settings, loader_file, read_loader
from ..recipes.samplers import SAMPLERS, SCHEDULERS
from ..runtime.pending_picks import Pick, PickAnswer, UnknownPick
from ..runtime.runtime import Runtime
from .profiles import profiles_with_learned
from .responses import Refusal
from .schemas.backups import BackupsResponse
from .schemas.base import Nothing
from .schemas.checkpoints import CheckpointsResponse, checkpoints_response
from .schemas.exchange import ExportRequest, ImportRequest, ImportResponse
from .schemas.explain import ExplainRequest, ExplainResponse
from .schemas.forget import ForgetRequest, ForgetResponse
from .schemas.generations import (
    FeedbackRequest,
    GenerationResponse,
    GenerationsRequest,
    GenerationsResponse,
    NoteRequest,
)
from .schemas.graph import GraphRequest, GraphResponse, graph_response
from .schemas.loras import LorasRequest, LorasResponse, loras_response
from .schemas.negative_words import NegativeWordsRequest, NegativeWordsResponse, negative_words_response
from .schemas.parameters import ParameterRequest, ParameterResponse, parameter_response
from .schemas.pending import AnswerPickRequest, PendingResponse, PickResponse
from .schemas.profiles import (
    ProfileRequest,
    ProfileResponse,
    ProfilesRequest,
    ProfilesResponse,
    profile_response,
    profiles_response,
)
from .schemas.recommend import PoolRequest, RecommendRequest, RecommendResponse, recommend_response
from .schemas.settings import SettingsChanges, SettingsResponse, SettingsValues
from .schemas.statistics import CsvRequest, StatisticsRequest, StatisticsResponse
from .schemas.system import HealthResponse, ReleaseResponse

if TYPE_CHECKING:
    from ..learning.reports import Overview
    from ..learning.service.service import PreferenceService

logger = logging.getLogger(__name__)


class Host(Protocol):
    """What the routes need of the ComfyUI around them. Every method may block; routes call them in a thread."""

    def candidates(self, rules: PoolRules) -> Pool:
        """Apply pool rules to its checkpoints."""
        ...

    def folders(self) -> Sequence[str]:
        """Name the folders it looks for checkpoints in."""
        ...

    def files(self) -> Sequence[CheckpointFile]:
        """List its checkpoints, those that cannot be loaded too."""
        ...

    def costs(self, names: Sequence[str]) -> Mapping[str, Cost]:
        """Say what an image of each checkpoint takes, as far as known."""
        ...

    def loras(self, family: str, include: str, exclude: str) -> Sequence[LoraFile]:
        """List its LoRAs that fit checkpoints of a family, by globs."""
        ...

    def known_settings(self, name: str) -> FromFiles:
        """Say what a checkpoint's files know of its settings."""
        ...

    def sampler_names(self) -> SamplerNames:
        """Name the samplers and schedulers that KSampler has."""
        ...

    def release_loaders(self) -> Mapping[str, Any]:
        """Release the kept checkpoints, and name them."""
        ...

    def pending(self) -> Sequence[Pick]:
        """Name the runs that wait for a person's pick, the longest waiting first."""
        ...

    def answer_pick(self, pick_id: str, answer: PickAnswer) -> Pick:
        """Answer one of them, so that its run goes on; raises `UnknownPick` and `InvalidVerdict`."""
        ...

    def image_sources(self) -> ImageSources:
        """Say which folders of images may be read, and how its checkpoints are listed; does not block."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Versions and counts, for `health`."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers, with what they work on."""

    runtime_or_finder: Runtime | Callable[[], Runtime]
    """The runtime, or what finds that of the person who sends the request."""
    host: Host | None = None
    served_images: ImageSources = ImageSources()  # noqa: RUF009 - immutable
    """The folders of images that may be read where there is no host."""

    @property
    def image_sources(self) -> ImageSources:
        return self.served_images if self.host is None else self.host.image_sources()

    @property
    def runtime(self) -> Runtime:
        """Raises `UnknownUser`."""
        either = self.runtime_or_finder
        return either() if callable(either) else either

    async def health(self, request: Nothing) -> HealthResponse:
        async def look(service: PreferenceService) -> tuple[Overview | None, Sequence[str], int]:
            put_aside, waiting = await service.put_aside(), await service.waiting()
            try:
                return await service.overview(), put_aside, waiting
            except StoreUnavailable:
                if not service.is_offline:
                    raise
                return None, put_aside, waiting

        overview, put_aside, waiting = await self.runtime.run(look)
        host = await asyncio.to_thread(self.host.describe) if self.host else None
        return HealthResponse(
            version=__version__,
            database=self.runtime.database_name,
            generations=None if overview is None else overview.generations,
            judged=None if overview is None else overview.judged,
            put_aside=list(put_aside),
            away=overview is None,
            waiting=waiting,
            host=dict(host) if host is not None else None,
        )

    async def backups(self, request: Nothing) -> BackupsResponse:
        copies = await self.runtime.run(lambda service: service.copies())
        return BackupsResponse.model_validate({"backups": copies})

    async def recommend(self, request: RecommendRequest) -> RecommendResponse:
        pool = None if request.candidates else await self._pool(request.pool or PoolRequest())
        if pool is not None and not pool.candidates:
            recommendation = self._fallback(request.prompt, pool, request.stage)
        else:
            recommendation = await self._learned(request, pool)
        branches = await self._branches(recommendation)
        return recommend_response(recommendation, images=request.images, pool=pool, branches=branches)

    async def _branches(self, recommendation: Recommendation) -> list[Branch]:
        """The branches with their checkpoints' own settings."""
        by_person = self.runtime.settings.profiles
        profiles = await self._profiles(recommendation.checkpoints, recommendation.prompt)
        return [
            with_profile(branch, profiles[branch.checkpoint], by_person.get(stored_name(branch.checkpoint), Settings()))
            for branch in recommendation.all_branches
        ]

    async def _profiles(self, checkpoints: Sequence[str], prompt: str = "") -> Mapping[str, Profile]:
        """The settings of checkpoints for a prompt; without one, what suits prompts in general."""

        def read() -> tuple[Mapping[str, FromFiles], SamplerNames | None]:
            known_settings = self.host.known_settings if self.host else of_name
            return {name: known_settings(name) for name in checkpoints}, self._sampler_names()

        found, names = await asyncio.to_thread(read)
        return await profiles_with_learned(self.runtime, prompt, found, self._families, names)

    def _sampler_names(self) -> SamplerNames | None:
        return self.host.sampler_names() if self.host else None

    def _families(self) -> dict[str, str]:
        """The families of ComfyUI's files, as far as they are known; blocks on the disk."""
        return known_families(self.host.files()) if self.host else {}

    async def profiles(self, request: ProfilesRequest) -> ProfilesResponse:
        by_person = self.runtime.settings.profiles

        def list_names() -> list[str]:
            files = self.host.files() if self.host else ()
            here = {stored_name(file.name): file.name for file in files if printable(file.name) == file.name}
            return [here.get(name, name) for name in dict.fromkeys([*here, *by_person])]

        one = request.checkpoint
        names = [one] if one is not None else await asyncio.to_thread(list_names)
        responses = await self._profile_responses(names)
        samplers = await asyncio.to_thread(self._sampler_names) or SamplerNames(SAMPLERS, SCHEDULERS)
        return profiles_response(responses, samplers)

    async def _profile_responses(self, checkpoints: Sequence[str]) -> tuple[ProfileResponse, ...]:
        by_person = self.runtime.settings.profiles
        return tuple(
            profile_response(name, profile, by_person.get(stored_name(name), Settings()))
            for name, profile in (await self._profiles(checkpoints)).items()
        )

    async def change_profile(self, request: ProfileRequest) -> ProfileResponse:
        change = partial(self.runtime.change_profile, request.checkpoint, request.values(), clear=request.clear)
        await asyncio.to_thread(change)
        (response,) = await self._profile_responses([request.checkpoint])
        return response

    async def _learned(self, request: RecommendRequest, pool: Pool | None) -> Recommendation:
        candidates = pool.candidates if pool is not None else request.candidates or ()
        options = self._options(request)
        family = pool.family if pool is not None else ""
        present, home = await self._fingerprints(request), self.runtime
        costs = await asyncio.to_thread(self.host.costs, candidates) if self.host else None

        async def recommend(service: PreferenceService) -> Recommendation:
            if present:
                home.follow(await service.meet_files(present))
            return await service.recommend(request.prompt, candidates, family=family, costs=costs, **options)

        try:
            return await home.run(recommend)
        except StoreUnavailable as error:
            if not error.temporary:
                raise
            return unlearned_recommendation(
                request.prompt,
                pool or Pool(tuple(candidates), family),
                request.stage,
                explore=request.explore,
                max_branches=request.max_branches,
                reason=error_text(error),
            )

    async def _fingerprints(self, request: RecommendRequest) -> Mapping[str, str]:
        """Name and content of each checkpoint file: ComfyUI's own, or those that the client sent."""
        if self.host is None:
            return request.fingerprints or {}
        if request.fingerprints:
            raise Refusal(
                422,
                "fingerprints_not_taken",
                "This ComfyUI looks at its checkpoint files itself: leave out the fingerprints.",
            )
        return {file.name: file.fingerprint for file in await asyncio.to_thread(self.host.files)}

    def _options(self, request: RecommendRequest | ExplainRequest) -> dict[str, Any]:
        """The arguments that the service's `recommend` and `explain` have in common."""
        shared = {"stage", "explore", "policy", "max_branches", "seed", "negative"}
        return {**request.model_dump(include=shared), "thresholds": self._thresholds(request)}

    def _thresholds(self, request: RecommendRequest | ExplainRequest) -> Thresholds:
        settings = self.runtime.settings
        return Thresholds(
            exploit=settings.exploit_threshold if request.exploit_threshold is None else request.exploit_threshold,
            explore=settings.explore_threshold if request.explore_threshold is None else request.explore_threshold,
        )

    async def _pool(self, request: PoolRequest) -> Pool:
        if self.host is None:
            raise Refusal(
                422,
                "candidates_required",
                message(
                    "candidates_required",
                    "This server is not ComfyUI and knows no checkpoint files: name the candidates.",
                ),
            )
        rules = PoolRules(
            request.family, request.include, request.exclude, request.fallback, request.folder, request.needs
        )
        pool = await asyncio.to_thread(self.host.candidates, rules)
        if not pool.candidates and not pool.fallback_used:
            folders = await asyncio.to_thread(self.host.folders)
            raise Refusal(422, "empty_pool", empty_pool_message(rules, pool, folders))
        return pool

    @staticmethod
    def _fallback(prompt: str, pool: Pool, stage: Stage) -> Recommendation:
        logger.info("%s", no_pool_line(pool, stage))
        return fallback_recommendation(prompt, pool, stage)

    async def recommend_loras(self, request: LorasRequest) -> LorasResponse:
        families = await asyncio.to_thread(self._families)
        named = request.files
        available = await self._loras(request, families) if named is None else named
        if named is None and not available:
            return loras_response(LoraRecommendation((), 0.0, (_no_loras(request),)))
        return loras_response(
            await self.runtime.run(
                lambda service: service.recommend_loras(
                    request.prompt,
                    request.checkpoint,
                    available,
                    negative=request.negative,
                    most=request.most,
                    families=families,
                )
            )
        )

    async def _loras(self, request: LorasRequest, families: Mapping[str, str]) -> list[str | LoraCandidate]:
        """This ComfyUI's LoRAs that fit the checkpoint."""
        if self.host is None:
            raise Refusal(
                422,
                "available_required",
                message(
                    "available_required",
                    "This server is not ComfyUI and knows no LoRA files: name those that are available.",
                ),
            )
        wanted = comparable(request.checkpoint or "")
        family = next((family for name, family in families.items() if comparable(name) == wanted), UNKNOWN)
        found = await asyncio.to_thread(self.host.loras, family, request.include, request.exclude)
        return [each.candidate for each in found]

    async def recommend_parameter(self, request: ParameterRequest) -> ParameterResponse:
        families = await asyncio.to_thread(self._families)
        return parameter_response(
            await self.runtime.run(
                lambda service: service.recommend_parameter(
                    request.prompt,
                    request.name,
                    request.default,
                    request.checkpoint,
                    negative=request.negative,
                    families=families,
                )
            )
        )

    async def suggest_negative(self, request: NegativeWordsRequest) -> NegativeWordsResponse:
        return negative_words_response(
            await self.runtime.run(
                lambda service: service.suggest_negative_prompt(
                    request.prompt, request.checkpoint, negative=request.negative
                )
            )
        )

    async def feedback(self, request: FeedbackRequest) -> GenerationResponse:
        generation = await self.runtime.run(
            lambda service: service.record_feedback(
                request.generation_id,
                request.selected,
                request.rejected,
                selected_images=request.selected_images,
                rejected_images=request.rejected_images,
            )
        )
        return GenerationResponse.model_validate(generation)

    async def note(self, request: NoteRequest) -> GenerationResponse:
        generation = await self.runtime.run(lambda service: service.set_note(request.generation_id, request.note))
        return GenerationResponse.model_validate(generation)

    async def generations(self, request: GenerationsRequest) -> GenerationsResponse:
        if request.id is not None:
            generation_id = request.id
            generation = await self.runtime.run(lambda service: service.generation(generation_id))
            return _generations([generation], more=False)
        generations = await self.runtime.run(
            lambda service: service.generations(
                limit=request.limit + 1,
                before=request.before,
                session_id=request.session_id,
                prompt_id=request.prompt_id,
                judged=request.judged,
                kept=request.kept,
                search=request.search,
                keyword=request.keyword,
                checkpoint=request.checkpoint,
            )
        )
        return _generations(generations[: request.limit], more=len(generations) > request.limit)

    async def statistics(self, request: StatisticsRequest) -> StatisticsResponse:
        parts: dict[str, Any] = {}
        if "overview" in request.parts:
            parts["overview"] = await self.runtime.run(lambda service: service.overview())
        if "checkpoints" in request.parts:
            parts["checkpoints"] = await self.runtime.run(lambda service: service.checkpoints())
        if "pairs" in request.parts:
            parts["pairs"], parts["pairs_found"] = await self.runtime.run(
                lambda service: service.pairs(
                    request.keyword,
                    request.checkpoint,
                    search=request.search,
                    sort=request.sort,
                    descending=request.descending,
                    limit=request.limit,
                    offset=request.offset,
                )
            )
        if "sessions" in request.parts:
            parts["sessions"] = await self.runtime.run(lambda service: service.sessions(request.limit, request.offset))
        if "series" in request.parts:
            parts["series"] = await self.runtime.run(lambda service: service.series(request.points))
        return StatisticsResponse.model_validate(parts)

    async def statistics_as_csv(self, request: CsvRequest) -> AsyncIterator[str]:
        async for parts in self.runtime.stream(
            lambda service: service.pairs_as_csv(request.keyword, request.checkpoint, search=request.search)
        ):
            yield "".join(parts)

    async def checkpoints(self, request: Nothing) -> CheckpointsResponse:
        judged = await self.runtime.run(lambda service: service.checkpoints())
        shown = await self.runtime.run(lambda service: service.images_shown())
        files = await asyncio.to_thread(self.host.files) if self.host else None
        return checkpoints_response(judged, shown, files, self.runtime.settings.curation)

    async def explain(self, request: ExplainRequest) -> ExplainResponse:
        if request.candidates:
            candidates = request.candidates
        else:
            pool = await self._pool(
                PoolRequest(
                    family=request.family,
                    include=request.include,
                    exclude=request.exclude,
                    fallback=request.fallback,
                    folder=request.folder,
                    needs=request.needs,
                )
            )
            if not pool.candidates:
                raise Refusal(422, "fallback_used", no_pool_line(pool, request.stage))
            candidates = pool.candidates
        options = self._options(request)
        explained = await self.runtime.run(lambda service: service.explain(request.prompt, candidates, **options))
        return ExplainResponse.model_validate(explained)

    async def graph(self, request: GraphRequest) -> GraphResponse:
        if request.loader not in request.prompt:
            raise Refusal(
                404,
                "unknown_node",
                message(
                    "unknown_node", "The prompt has no node {node}: it may be muted or bypassed.", node=request.loader
                ),
            )
        model = loader_file(request.prompt, request.loader)
        reading = await asyncio.to_thread(read_loader, request.prompt, request.loader)
        files = await asyncio.to_thread(self.host.files) if self.host else ()
        wanted = None if model is None else comparable(model)
        family = next((file.family for file in files if comparable(file.name) == wanted), UNKNOWN)
        return graph_response(request, model, "" if family == UNKNOWN else family, reading)

    async def export(self, request: ExportRequest) -> AsyncIterator[str]:
        async for lines in self.runtime.stream(lambda service: service.export(anonymous=request.anonymous)):
            yield "".join(lines)

    async def import_lines(self, request: ImportRequest, *, lines: IO[bytes]) -> ImportResponse:
        from ..learning.exchange.line_format import lines_in  # late: nothing else here needs its models

        names = request.names()
        report = await self.runtime.run(lambda service: service.import_lines(lines_in(lines), names))
        return ImportResponse.model_validate(report)

    async def forget(self, request: ForgetRequest) -> ForgetResponse:
        run = self.runtime.run
        if request.generation_id is not None:
            generation_id = request.generation_id
            forgotten = await run(lambda service: service.forget_generation(generation_id))
        elif request.keyword is not None:
            keyword = request.keyword
            forgotten = await run(lambda service: service.forget_keyword(keyword))
        elif request.older_than_days is not None:
            days = request.older_than_days
            forgotten = await run(lambda service: service.forget_older(days))
        elif request.prompts:
            forgotten = await run(lambda service: service.forget_prompts())
        else:
            forgotten = await run(lambda service: service.forget_everything())
        return ForgetResponse.model_validate(forgotten)

    async def settings(self, request: Nothing) -> SettingsValues:
        return SettingsResponse.model_validate(self.runtime.settings)

    async def change_settings(self, request: SettingsChanges) -> SettingsValues:
        changed = await asyncio.to_thread(partial(self.runtime.change_settings, **request.changes()))
        return SettingsResponse.model_validate(changed)

    async def release_loaders(self, request: Nothing) -> ReleaseResponse:
        if self.host is None:
            raise Refusal(
                409,
                "not_in_comfyui",
                message("not_in_comfyui", "This server is not ComfyUI and keeps no loaders."),
            )
        return ReleaseResponse(released=dict(await asyncio.to_thread(self.host.release_loaders)))

    async def pending(self, request: Nothing) -> PendingResponse:
        waiting = await asyncio.to_thread(self.host.pending) if self.host else ()
        return PendingResponse(pending=tuple(PickResponse.model_validate(pick) for pick in waiting))

    async def answer_pick(self, request: AnswerPickRequest, *, id: str) -> PickResponse:  # noqa: A002
        if self.host is None:
            raise UnknownPick(id)
        answer = PickAnswer(frozenset(request.selected_images), frozenset(request.rejected_images), request.send_all)
        return PickResponse.model_validate(await asyncio.to_thread(self.host.answer_pick, id, answer))


def _no_loras(request: LorasRequest) -> Message:
    """Say why none of this ComfyUI's LoRAs can be recommended."""
    if request.include or request.exclude:
        return message("loras_none_match", "No LoRA that fits matches include and exclude. Change them.")
    if request.checkpoint:
        return message(
            "loras_none_fit",
            "ComfyUI has no LoRA that fits {checkpoint}. Put LoRA files of its architecture into models/loras.",
            checkpoint=shown_name(request.checkpoint),
        )
    return message("loras_no_files", "ComfyUI has no LoRA. Put LoRA files into models/loras.")


def _generations(generations: Sequence[Generation], *, more: bool) -> GenerationsResponse:
    return GenerationsResponse(
        generations=tuple(GenerationResponse.model_validate(generation) for generation in generations),
        next_before=generations[-1].id if more else None,
    )
