"""Every route, as a client sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.addresses import PREFIX
from context_checkpoint.api.lazy_routes import add_to
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.files import backups
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client, FolderHost, log_generation


class TestHealth:
    async def test_has_version_database_and_counts(self, client: Client, runtime: Runtime) -> None:
        """A monitor learns from one request that the database answers."""
        await log_generation(runtime)

        status, answer = await client.get("/health")

        assert status == 200
        assert answer["status"] == "ok"
        assert answer["database"] == runtime.database_name
        assert (answer["generations"], answer["judged"]) == (1, 0)
        assert answer["host"] is None


async def test_the_copies_are_listed_with_what_they_hold(client: Client, runtime: Runtime) -> None:
    """An interface can show what there is to go back to."""
    await log_generation(runtime)
    file = Path(runtime.database_name)
    backups.make(file, datetime(2026, 1, 31, 12, tzinfo=timezone.utc), kept=7)

    status, answer = await client.get("/backups")

    assert status == 200
    assert answer["backups"] == [
        {
            "name": "backups/preferences-20260131-120000.db",
            "kind": "daily",
            "made_at": "2026-01-31T12:00:00Z",
            "generations": 1,
            "verdicts": 0,
            "problem": "",
        }
    ]


class TestRecommend:
    async def test_reads_a_negative_prompt(self, client: Client) -> None:
        """Of all three routes that take a prompt."""
        body = {"prompt": "a fox", "negative": "blurry", "candidates": CANDIDATES}

        answers = [
            await client.post("/recommend", body),
            await client.post("/explain", body),
            await client.get("/explain", prompt="a fox", negative="blurry", candidates=CANDIDATES[0]),
        ]

        for status, answer in answers:
            assert status == 200
            assert [word["text"] for word in answer["keywords"]] == ["fox", "-blurry"]

    async def test_explores_three_candidates_while_nothing_is_known(self, client: Client) -> None:
        """The cold start over HTTP."""
        status, answer = await client.post(
            "/recommend", {"prompt": "anime girl, (long hair:1.2)", "candidates": CANDIDATES, "seed": 2**64 - 1}
        )

        assert status == 200
        assert sorted(answer["checkpoints"]) == sorted(CANDIDATES)
        assert answer["strategy"] == "explore"
        assert answer["confidence"] == answer["evidence"] == 0.0
        assert set(answer["scores"]) == set(CANDIDATES)
        assert {"text": "long hair", "weight": 1.2} in answer["keywords"]
        assert answer["explanation"]
        assert answer["seed"] == 2**64 - 1
        assert answer["fallback"] is False
        assert answer["images"] is None
        assert answer["pool"] is None

    async def test_divides_the_images_among_the_branches(self, client: Client) -> None:
        """A script need not know the rule of division."""
        _, answer = await client.post("/recommend", {"prompt": "anime", "candidates": CANDIDATES, "images": 20})

        assert list(answer["images"]) == answer["checkpoints"]
        assert list(answer["images"].values()) == [7, 7, 6]

    async def test_takes_a_prompt_of_100_kb_and_a_thousand_candidates(self, client: Client) -> None:
        """Large but honest requests are served."""
        candidates = [f"folder/checkpoint {number:04}.safetensors" for number in range(1000)]

        status, answer = await client.post("/recommend", {"prompt": "portrait, " * 10_000, "candidates": candidates})

        assert status == 200
        assert set(answer["checkpoints"]) <= set(candidates)

    async def test_thresholds_of_the_request_win_over_the_settings(self, client: Client) -> None:
        """With both at 0 any confidence above 0 exploits; a request may say so for itself."""
        await client.post("/settings", {"exploit_threshold": 1.0, "explore_threshold": 1.0})

        status, answer = await client.post(
            "/recommend",
            {"prompt": "anime", "candidates": CANDIDATES, "exploit_threshold": 0.2},
        )

        assert (status, answer["error"]["code"]) == (422, "invalid_value")
        assert "wrong way round" in answer["error"]["message"]


class TestPools:
    """Pool rules are answered by the ComfyUI around; here by a host over a real folder."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "checkpoints"
        (folder / "xl").mkdir(parents=True)
        for name in ("one.ckpt", "two.ckpt", "xl/three.ckpt"):
            (folder / name).write_bytes(b"")
        (folder / "cut.safetensors").write_bytes(b"\x00")
        return folder

    @pytest.fixture
    def host(self, folder: Path) -> FolderHost:
        return FolderHost(folder, released=["one.ckpt"])

    async def ask(self, runtime: Runtime, host: FolderHost, path: str, body: Any = None, **params: Any) -> Any:
        """Ask a server whose table was filled as ComfyUI's is."""
        table = web.RouteTableDef()
        add_to(table, runtime, host)
        app = web.Application()
        app.add_routes(table)
        async with TestClient(TestServer(app)) as http:
            answered = http.get(PREFIX + path, params=params) if body is None else http.post(PREFIX + path, json=body)
            response = await answered
            return response.status, await response.json()

    async def test_rules_choose_the_candidates(self, runtime: Runtime, host: FolderHost) -> None:
        """The answer tells what the rules left in and out."""
        status, answer = await self.ask(
            runtime, host, "/recommend", {"prompt": "anime", "pool": {"family": "all", "exclude": "xl/*"}}
        )

        assert status == 200
        assert answer["pool"]["candidates"] == ["one.ckpt", "two.ckpt"]
        assert answer["pool"]["excluded"]["matched by exclude"] == ["xl/three.ckpt"]
        assert sorted(answer["checkpoints"]) == ["one.ckpt", "two.ckpt"]

    async def test_no_candidates_and_no_rules_mean_all_of_comfyui(self, runtime: Runtime, host: FolderHost) -> None:
        """The shortest request inside ComfyUI is a prompt."""
        status, answer = await self.ask(runtime, host, "/recommend", {"prompt": "anime"})

        assert status == 200
        assert answer["pool"]["candidates"] == ["one.ckpt", "two.ckpt", "xl/three.ckpt"]

    async def test_an_empty_pool_uses_its_fallback_visibly(
        self, runtime: Runtime, host: FolderHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The document's line is logged and is the explanation."""
        caplog.set_level("INFO")

        status, answer = await self.ask(
            runtime,
            host,
            "/recommend",
            {"prompt": "anime", "pool": {"family": "sdxl", "fallback": "three.ckpt"}},
        )

        assert status == 200
        assert answer["checkpoints"] == ["xl/three.ckpt"]
        assert answer["fallback"] is True
        assert answer["explanation"] == "No checkpoint pool for sdxl_final, using default: xl/three.ckpt"
        assert answer["explanation"] in caplog.messages

    async def test_an_empty_pool_without_fallback_names_folder_and_rule(
        self, runtime: Runtime, host: FolderHost, folder: Path
    ) -> None:
        """What to do next is in the message."""
        status, answer = await self.ask(
            runtime, host, "/recommend", {"prompt": "anime", "pool": {"include": "nothing*"}}
        )

        assert (status, answer["error"]["code"]) == (422, "empty_pool")
        assert str(folder) in answer["error"]["message"]
        assert "nothing*" in answer["error"]["message"]

    async def test_explain_takes_rules_too(self, runtime: Runtime, host: FolderHost) -> None:
        """As in `recommend`, in the query."""
        status, _ = await self.ask(runtime, host, "/explain", prompt="anime", include="*.ckpt", family="all")

        assert status == 200

    async def test_health_describes_the_host(self, runtime: Runtime, host: FolderHost) -> None:
        """What the host describes is passed on."""
        _, answer = await self.ask(runtime, host, "/health")

        assert answer["host"] == {"comfyui": "0.0"}

    async def test_loaders_can_be_released(self, runtime: Runtime, host: FolderHost) -> None:
        """The response has what the host released."""
        status, answer = await self.ask(runtime, host, "/loaders/release", {})

        assert status == 200
        assert answer == {"released": {"checkpoints": ["one.ckpt"]}}


class TestFeedback:
    async def test_image_positions_become_the_verdict(self, client: Client, runtime: Runtime) -> None:
        """What the browser sends; the answer is the generation as it stands now."""
        generation = await log_generation(runtime)

        status, answer = await client.post(
            "/feedback", {"generation_id": generation, "selected_images": [1], "rejected_images": [0]}
        )

        assert status == 200
        assert [image["verdict"] for image in answer["images"]] == ["rejected", "selected", None]
        assert answer["judged_at"] is not None

    async def test_counts_per_checkpoint_become_the_verdict(self, client: Client, runtime: Runtime) -> None:
        """What a script sends that knows counts only."""
        generation = await log_generation(runtime, epicrealismXL=3, dreamShaperXL=2)

        status, answer = await client.post(
            "/feedback",
            {
                "generation_id": generation,
                "selected": {"epicrealismXL.safetensors": 2},
                "rejected": {"epicrealismXL.safetensors": 1, "dreamShaperXL.safetensors": 2},
            },
        )

        assert status == 200
        assert [image["verdict"] for image in answer["images"]] == ["selected"] * 2 + ["rejected"] * 3

    async def test_an_empty_verdict_withdraws(self, client: Client, runtime: Runtime) -> None:
        """Afterwards nothing is known of the generation."""
        generation = await log_generation(runtime)
        await client.post("/feedback", {"generation_id": generation, "selected_images": [0]})

        _, answer = await client.post("/feedback", {"generation_id": generation, "selected_images": []})

        assert answer["judged_at"] is None
        _, statistics = await client.get("/statistics")
        assert statistics["pairs"] == []

    async def test_the_next_recommendation_has_learned(self, client: Client, runtime: Runtime) -> None:
        """The whole loop over HTTP."""
        for _ in range(12):
            generation = await log_generation(runtime)
            await client.post(
                "/feedback", {"generation_id": generation, "selected_images": [1], "rejected_images": [0, 2]}
            )

        _, answer = await client.post(
            "/recommend", {"prompt": "photorealistic portrait", "candidates": CANDIDATES, "explore": False}
        )

        assert answer["checkpoints"] == [CANDIDATES[1]]
        assert answer["confidence"] > 0.3


class TestGenerations:
    async def test_newest_come_first_a_page_at_a_time(self, client: Client, runtime: Runtime) -> None:
        """`next_before` leads through all of them exactly once."""
        logged = [await log_generation(runtime, f"prompt {number}") for number in range(5)]
        seen: list[str] = []
        params: dict[str, Any] = {"limit": 2}
        while True:
            _, answer = await client.get("/generations", **params)
            seen += [generation["id"] for generation in answer["generations"]]
            if answer["next_before"] is None:
                break
            params["before"] = answer["next_before"]

        assert seen == logged[::-1]

    async def test_one_by_its_id(self, client: Client, runtime: Runtime) -> None:
        """The browser asks for the generation it remembers."""
        await log_generation(runtime)
        wanted = await log_generation(runtime)

        _, answer = await client.get("/generations", id=wanted)

        assert [generation["id"] for generation in answer["generations"]] == [wanted]
        first = answer["generations"][0]["images"][0]
        assert first["position"] == 0
        assert set(first["file"]) == {"checkpoint", "filename", "subfolder", "type"}

    async def test_those_of_a_prompt_or_session_or_without_a_verdict(self, client: Client, runtime: Runtime) -> None:
        """A script that queued a prompt finds what became of it."""
        judged, silent = await log_generation(runtime), await log_generation(runtime)
        await client.post("/feedback", {"generation_id": judged, "selected_images": [0]})

        async def ids(**params: Any) -> list[str]:
            return [generation["id"] for generation in (await client.get("/generations", **params))[1]["generations"]]

        assert await ids(prompt_id="p-1") == [silent, judged]
        assert await ids(prompt_id="other") == []
        assert await ids(session_id="tests") == [silent, judged]
        assert await ids(judged="true") == [judged]
        assert await ids(judged="false") == [silent]
        assert await ids(keyword="portrait", checkpoint=CANDIDATES[0]) == [silent, judged]
        assert await ids(keyword="castle") == []


class TestStatistics:
    async def test_rows_per_checkpoint_and_per_keyword(self, client: Client, runtime: Runtime) -> None:
        """Counts and rates as a person would check them by hand."""
        generation = await log_generation(runtime)
        await client.post("/feedback", {"generation_id": generation, "selected_images": [0], "rejected_images": [1, 2]})

        _, answer = await client.get("/statistics", keyword="portrait")

        assert answer["overview"]["images"] == 3
        rates = {row["checkpoint"]: row["rate"] for row in answer["checkpoints"]}
        assert rates == dict(zip(CANDIDATES, (1.0, 0.0, 0.0), strict=True))
        assert {row["keyword"] for row in answer["pairs"]} == {"portrait"}
        assert answer["pairs_found"] == 3

    async def test_only_the_parts_that_are_named_are_read(self, client: Client, runtime: Runtime) -> None:
        """A table's next page does not count the whole log again."""
        await log_generation(runtime)

        _, answer = await client.get("/statistics", parts="series", points=10)

        assert {name for name, part in answer.items() if part is not None} == {"series"}
        assert answer["series"][0]["generations"] == 1
        assert answer["series"][0]["images_saved"] == 0

    async def test_rows_are_searched_and_sorted(self, client: Client, runtime: Runtime) -> None:
        """By the server, since a browser holds one page of them."""
        generation = await log_generation(runtime)
        await client.post("/feedback", {"generation_id": generation, "selected_images": [0]})

        _, answer = await client.get("/statistics", parts="pairs", search="Portr", sort="keyword", descending="false")

        keywords = [row["keyword"] for row in answer["pairs"]]
        assert keywords == ["photorealistic portrait", "portrait"]
        assert answer["pairs_found"] == 2
        assert (await client.get("/statistics", sort="prompt"))[0] == 422

    async def test_sessions_are_the_documents_monitoring_query(self, client: Client, runtime: Runtime) -> None:
        """The same numbers as the query gives that docs/data.md prints."""

        async def log(service: PreferenceService) -> None:
            recommendation = await service.recommend("anime", CANDIDATES)
            for session, confidence in (("monday", 0.25), ("monday", 0.5), ("tuesday", 0.75)):
                shown = replace(recommendation, confidence=confidence)
                await service.log_generation(shown, {CANDIDATES[0]: 1}, session_id=session)

        await runtime.run(log)
        _, answer = await client.get("/statistics", parts="sessions")
        _, second = await client.get("/statistics", parts="sessions", limit=1, offset=1)
        page = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
        query = page.split("```sql\n")[1].split("```")[0]
        with closing(sqlite3.connect(runtime.database)) as database:
            rows = database.execute(query).fetchall()

        assert rows == [("tuesday", 0.75, 1), ("monday", 0.375, 2)]
        assert [tuple(row.values()) for row in answer["sessions"]] == rows
        assert [tuple(row.values()) for row in second["sessions"]] == rows[1:]
        assert answer["overview"] is None


class TestCheckpoints:
    async def test_outside_comfyui_what_was_learned_is_all_there_is(self, client: Client, runtime: Runtime) -> None:
        """No file is known, so none is missing."""
        generation = await log_generation(runtime)
        await client.post("/feedback", {"generation_id": generation, "selected_images": [0]})

        _, answer = await client.get("/checkpoints")

        assert answer["checkpoints"][0] == {
            "checkpoint": CANDIDATES[0],
            "state": None,
            "problem": "",
            "problem_parts": [],
            "family": None,
            "choice": None,
            "shown": 1,
            "selected": 1.0,
            "total": 1.0,
            "rounds": 1.0,
        }
        assert {row["checkpoint"]: row["total"] for row in answer["checkpoints"]} == dict(
            zip(CANDIDATES, (1.0, 0.0, 0.0), strict=True)
        )

    async def test_inside_comfyui_files_are_marked_broken_or_missing(self, runtime: Runtime, tmp_path: Path) -> None:
        """A file without a header is broken; one that made images and is gone is missing."""
        (tmp_path / "broken.safetensors").write_bytes(b"no checkpoint")
        (tmp_path / "unknown.ckpt").write_bytes(b"\x80\x02")
        await log_generation(runtime)
        application = web.Application()
        table = web.RouteTableDef()
        add_to(table, runtime, FolderHost(tmp_path))
        application.add_routes(table)

        async with TestClient(TestServer(application)) as http:
            _, answer = await Client(http).get("/checkpoints")

        states = {row["checkpoint"]: row["state"] for row in answer["checkpoints"]}
        assert states == {
            **dict.fromkeys(CANDIDATES, "missing"),
            "broken.safetensors": "broken",
            "unknown.ckpt": "here",
        }
        (broken,) = [row for row in answer["checkpoints"] if row["state"] == "broken"]
        assert broken["problem"]


class TestExplain:
    async def test_says_why(self, client: Client) -> None:
        """Candidates are repeated in the query."""
        status, answer = await client.get("/explain", prompt="anime girl", candidates=CANDIDATES[0])

        assert status == 200
        assert answer["finding"] == "nothing_known"
        assert answer["would_change"]["runner_up"] == ""

    async def test_what_would_change_the_order_is_in_the_response(self, client: Client, runtime: Runtime) -> None:
        """The runner-up, and how many picks of it would turn the order."""
        generation = await log_generation(runtime, "anime girl")
        await client.post("/feedback", {"generation_id": generation, "selected_images": [0]})

        _, answer = await client.get("/explain", prompt="anime girl", candidates=CANDIDATES)

        change = answer["would_change"]
        assert change["runner_up"] == answer["checkpoints"][1]["checkpoint"]
        assert change["picks"] >= 1
        assert change["behind"] == answer["checkpoints"][0]["score"] - answer["checkpoints"][1]["score"]

    async def test_a_long_prompt_is_explained_in_a_body(self, client: Client) -> None:
        """With the same fields and the same response; no address is long enough."""
        body = {"prompt": "castle, " * 3_000, "candidates": CANDIDATES, "max_branches": 1, "seed": 3}

        status, answer = await client.post("/explain", body)

        assert status == 200
        assert {row["checkpoint"] for row in answer["checkpoints"]} == set(CANDIDATES)
        short = {"prompt": "castle", "candidates": CANDIDATES}
        assert (await client.post("/explain", short))[1] == (await client.get("/explain", **short))[1]


class TestSettings:
    async def test_changes_are_remembered(self, client: Client, runtime: Runtime) -> None:
        """Only what is named changes, and the next question sees it."""
        _, before = await client.get("/settings")

        status, changed = await client.post("/settings", {"policy": "counts", "kept_loaders": 1})

        assert status == 200
        assert changed == before | {"policy": "counts", "kept_loaders": 1}
        assert (await client.get("/settings"))[1] == changed
        _, answer = await client.post("/recommend", {"prompt": "anime", "candidates": CANDIDATES})
        assert answer["policy"] == "counts"

    async def test_pins_and_bans_hold_for_every_answer(self, client: Client) -> None:
        """Recommending and explaining obey them, and the list of checkpoints has them."""
        pinned, banned = CANDIDATES[2], CANDIDATES[0]
        await client.post("/settings", {"pinned": [pinned], "banned": [banned]})

        _, recommended = await client.post(
            "/recommend", {"prompt": "a castle", "candidates": CANDIDATES, "max_branches": 1}
        )
        _, explained = await client.post("/explain", {"prompt": "a castle", "candidates": CANDIDATES})
        _, listed = await client.get("/checkpoints")

        assert recommended["checkpoints"] == [pinned]
        assert {row["checkpoint"] for row in explained["checkpoints"]} == set(CANDIDATES[1:])
        choices = {row["checkpoint"]: row["choice"] for row in listed["checkpoints"]}
        assert choices == {pinned: "pinned", banned: "banned"}


class TestFileIdentity:
    """A checkpoint is known by its file's content, for clients of the API too."""

    async def test_a_renamed_file_keeps_its_past_where_comfyui_is_around(
        self, runtime: Runtime, tmp_path: Path
    ) -> None:
        """The host's files are met as the recommender node meets them."""
        folder = tmp_path / "checkpoints"
        folder.mkdir()
        for name in ("one.ckpt", "two.ckpt"):
            (folder / name).write_bytes(name.encode() * 50)
        host, pools = FolderHost(folder), TestPools()
        await pools.ask(runtime, host, "/recommend", {"prompt": "anime girl"})
        await runtime.run(lambda service: _taught(service, "one.ckpt"))
        (folder / "one.ckpt").rename(folder / "uno.ckpt")

        _, answer = await pools.ask(runtime, host, "/recommend", {"prompt": "anime girl", "seed": 1})
        refused = await pools.ask(
            runtime, host, "/recommend", {"prompt": "anime", "fingerprints": {"one.ckpt": "0" * 32}}
        )

        assert answer["checkpoints"] == ["uno.ckpt"]
        assert answer["confidence"] > 0.3
        assert (refused[0], refused[1]["error"]["code"]) == (422, "fingerprints_not_taken")

    async def test_a_client_alone_may_send_fingerprints(self, client: Client, runtime: Runtime) -> None:
        """Renamed, it is the same; with other content it starts from nothing."""

        def request_of(name: str, content: str) -> dict[str, Any]:
            files = {name: content, "b": "b" * 8}
            return {"prompt": "anime girl", "candidates": [name, "b"], "fingerprints": files}

        await client.post("/recommend", request_of("a", "a" * 8))
        await runtime.run(lambda service: _taught(service, "a"))
        _, renamed = await client.post("/recommend", request_of("c", "a" * 8))
        _, replaced = await client.post("/recommend", request_of("c", "x" * 8))
        status, _ = await client.post("/recommend", request_of("c", "../x"))

        assert renamed["checkpoints"][0] == "c"
        assert renamed["confidence"] > 0.3 > replaced["confidence"]
        assert status == 422


async def _taught(service: PreferenceService, best: str) -> None:
    for _ in range(12):
        recommendation = await service.recommend("anime girl", [best, "another"])
        generation_id = await service.log_generation(recommendation, {best: 1, "another": 1})
        await service.record_feedback(generation_id, selected={best: 1}, rejected={"another": 1})
