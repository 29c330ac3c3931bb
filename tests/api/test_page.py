"""The page of `context-checkpoint serve`, in a real browser: the panel without a ComfyUI."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Locator, Page, Route, expect

from context_checkpoint.api.standalone import build_app
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.files import backups
from context_checkpoint.learning.names import shown_name
from context_checkpoint.learning.store import rollup_task, rollups
from context_checkpoint.recipes import Recipe
from context_checkpoint.recipes.settings import Settings as Profile
from context_checkpoint.runtime.runtime import Runtime
from tests.conftest import LAYOUT_FAULTS, recomputed_elsewhere

from .conftest import CANDIDATES

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=window.hacked=1>"
SUBJECTS = ("portrait", "castle", "anime girl", "landscape", "cyberpunk street")
TABS = ("Overview", "Preferences", "History", "Checkpoints", "LoRAs", "Try", "Settings")


@pytest.fixture(scope="module")
def forty_rounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of 40 rounds, of which every fifth has no verdict; the last prompt tries to be markup."""
    runtime = Runtime(tmp_path_factory.mktemp("forty"))

    async def live(service: PreferenceService) -> None:
        for number in range(40):
            last = number == 39
            prompt = f"{HOSTILE} sailor" if last else f"{SUBJECTS[number % 5]}, masterpiece, light {number}"
            recommendation = await service.recommend(prompt, CANDIDATES)
            generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
            if number % 5 < 4 or last:
                await service.record_feedback(generation_id, selected_images=[0], rejected_images=[1, 2])

    runtime.run_blocking(live)
    runtime.close()
    return Path(runtime.database)


@pytest_asyncio.fixture(loop_scope="session")
async def page(runtime: Runtime, forty_rounds: Path, browser: Browser) -> AsyncIterator[Page]:
    """The page after forty rounds."""
    shutil.copyfile(forty_rounds, runtime.database)
    async with TestServer(build_app(runtime)) as server:
        context = await browser.new_context(viewport={"width": 1200, "height": 900})
        opened = await context.new_page()
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        await opened.goto(str(server.make_url("/")))
        yield opened
        await context.close()
        # Chromium itself logs each refusal of the server.
        assert [line for line in complaints if not line.startswith("Failed to load resource")] == []


async def tab(page: Page, name: str) -> Locator:
    """Choose a tab, and give what it shows."""
    await page.get_by_role("tab", name=name).click()
    shown = page.get_by_role("tabpanel", name=name)
    await expect(shown).not_to_contain_text("Loading")
    return shown


async def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(100):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("It did not come true")


def figure(shown: Locator, name: str) -> Locator:
    return shown.locator(f"[data-figure={name}] dd").first


async def test_the_overview_tells_what_was_learned_and_how_it_went(page: Page) -> None:
    """Figures, and three plots that words and numbers describe too."""
    shown = await tab(page, "Overview")

    await expect(figure(shown, "prompts")).to_have_text("40")
    await expect(figure(shown, "verdicts")).to_have_text("33")
    await expect(figure(shown, "imagesKept")).to_have_text("33")
    await expect(figure(shown, "agreement")).to_have_text("100 %")
    await expect(shown.get_by_role("img", name="Confidence:")).to_be_visible()
    await shown.get_by_text("As a table").first.click()
    await expect(shown.get_by_role("region", name="Confidence").get_by_role("row")).to_have_count(41)


async def test_the_overview_says_how_far_the_statistics_are_recomputed(page: Page, runtime: Runtime) -> None:
    """One line next to the figures while it goes on; the page asks again by itself."""
    with recomputed_elsewhere(Path(runtime.database), 12):
        shown = await tab(page, "Overview")
        line = shown.get_by_text("The statistics are being recomputed: 12 of 40 generations.")
        await expect(line).to_be_visible()
        await expect(figure(shown, "prompts")).to_have_text("40")
    await expect(line).to_have_count(0)
    await expect(figure(shown, "prompts")).to_have_text("40")


async def test_the_overview_says_how_much_of_a_long_log_was_counted(
    page: Page, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing has been counted yet it does not say that nothing was learned."""
    monkeypatch.setattr(rollup_task, "MANY", 20)
    monkeypatch.setattr(rollup_task, "_HOPELESS", 0)
    monkeypatch.setattr(rollups, "FEWEST", 30)
    monkeypatch.setattr(rollups, "BLOCK", 2)
    monkeypatch.setattr(rollups, "_BLOCKS_AT_ONCE", 1)
    monkeypatch.setattr(rollup_task, "_REST", 1_000.0)
    shown = await tab(page, "Overview")
    await shown.page.get_by_role("button", name="Refresh").click()

    line = shown.get_by_text(re.compile(r"is still being counted: these numbers are of \d of 40 generations"))
    await expect(line).to_be_visible()
    await expect(shown).not_to_contain_text("Nothing has been learned yet")

    monkeypatch.setattr(rollup_task, "MANY", 20_000)
    await expect(line).to_have_count(0)
    await expect(figure(shown, "prompts")).to_have_text("40")


async def test_the_overview_says_that_the_database_was_damaged(page: Page, runtime: Runtime) -> None:
    """It was put right by itself, and nobody need read a log to know."""
    file = Path(runtime.database)
    runtime.close()
    backups.make(file, datetime.now(timezone.utc), kept=1)
    await asyncio.to_thread(spoil, file)
    shown = await tab(page, "Overview")
    await page.get_by_role("button", name="Refresh").click()

    warning = shown.locator(".cc-warning")
    await expect(warning).to_contain_text("The database was damaged. It is quarantined as preferences.damaged-20")
    await expect(figure(shown, "prompts")).to_have_text("40")
    for copy in backups.damaged(file):
        copy.unlink()
    await page.get_by_role("button", name="Refresh").click()
    await expect(warning).to_have_count(0)


def spoil(file: Path) -> None:
    """As a disk does: the middle of it is something else."""
    with file.open("r+b") as opened:
        opened.seek(4096 * 2)
        opened.write(b"\xff" * 4096 * 4)


async def test_preferences_are_searched_sorted_and_unfold_to_their_evidence(page: Page) -> None:
    """As a table: all of it by the server, a page at a time."""
    shown = await tab(page, "Preferences")
    await shown.get_by_role("button", name="Table").click()
    rows = shown.get_by_role("table").locator("tbody tr:not(.cc-details)")
    await expect(rows).to_have_count(50)

    await shown.get_by_label("Search keyword or checkpoint").fill("CASTLE")
    await expect(rows).to_have_count(3)
    await shown.get_by_role("button", name="Share kept").click()
    await expect(rows.first).to_contain_text(CANDIDATES[0].removesuffix(".safetensors"))
    await expect(rows.first).to_contain_text("100 %")
    await rows.first.get_by_role("button").click()

    evidence = shown.locator(".cc-evidence li")
    await expect(evidence.first).to_contain_text("1 of its 1 images kept, 0 of others")
    await expect(evidence.first).to_contain_text("castle, masterpiece")
    await rows.first.get_by_role("cell").last.click()  # anywhere in the row
    await expect(evidence).to_have_count(0)

    await page.set_viewport_size({"width": 300, "height": 900})  # the columns are wider than this
    await rows.first.get_by_role("cell").first.click()
    await expect(evidence.first).to_be_visible()
    assert await page.locator(".cc-panel").evaluate(LAYOUT_FAULTS) == []


async def test_preferences_are_a_map_whose_marks_unfold_to_their_evidence(page: Page) -> None:
    """Phrases stand under their words; the keyboard leads from mark to mark; a narrow map turns its columns."""
    shown = await tab(page, "Preferences")
    table = shown.get_by_role("table")
    rows = table.locator("tbody tr:not(.cc-details)")
    await expect(rows.first).to_be_visible()
    assert await rows.count() >= 15
    words = await rows.locator("th").all_inner_texts()
    assert words[words.index("anime") + 1] == "… girl"
    assert "anime girl" not in words

    await shown.get_by_label("Search keyword or checkpoint").fill("castle")
    await expect(rows).to_have_count(1)
    liked = table.get_by_role("button", name=re.compile(r"^castle, .*: 100 % kept of \d+ judged"))
    await liked.focus()
    await page.keyboard.press("ArrowRight")
    other = table.locator(":focus")
    await expect(other).to_have_accessible_name(re.compile(r"^castle, .*: 0 % kept of \d+ judged"))
    await page.keyboard.press("ArrowUp")  # there is nothing above it
    await page.keyboard.press("Enter")
    await expect(table.locator(".cc-evidence li").first).to_contain_text("0 of its 1 images kept, 1 of others")

    await page.set_viewport_size({"width": 205, "height": 900})
    await expect(shown.get_by_text("Checkpoints 1 to 2 of 3")).to_be_visible()
    await shown.get_by_role("button", name="Next").click()
    await expect(shown.get_by_text("Checkpoints 3 to 3 of 3")).to_be_visible()
    await expect(rows.first.get_by_role("button")).to_have_count(1)

    await shown.get_by_label("Search keyword or checkpoint").fill("nobody knows this")
    await expect(shown).to_contain_text("No keyword and checkpoint match.")
    await expect(table).to_have_count(0)


async def test_history_is_filtered_read_on_and_a_verdict_changed(page: Page, runtime: Runtime) -> None:
    """What a person says of an old round replaces what they had said, or takes it back."""
    shown = await tab(page, "History")
    rounds = shown.get_by_role("article")
    await expect(rounds).to_have_count(20)
    await shown.get_by_role("button", name="Older generations").click()
    await expect(rounds).to_have_count(40)

    keyword = shown.get_by_label("Keyword or note")
    await keyword.fill("Cas")
    await expect(shown.locator("datalist option")).to_have_count(1)
    await keyword.fill("Castle")
    await expect(rounds).to_have_count(8)
    await shown.get_by_label("With an image of").select_option(CANDIDATES[0])
    await expect(rounds).to_have_count(8)
    await expect(rounds.first).to_contain_text("castle")
    await keyword.fill("none such")
    await expect(shown).to_contain_text("There are no such generations.")
    await keyword.fill("")
    await expect(rounds).to_have_count(20)

    newest = rounds.first
    await newest.locator("summary").click()
    await expect(newest.locator(".cc-keys")).to_contain_text("Enter pick")
    await newest.get_by_role("button", name="Pick image 2").click()
    await expect(newest.locator(".cc-saving .cc-status")).to_have_text("Saved: 2 picked, 1 rejected.")
    await newest.get_by_role("button", name="Withdraw the verdict").click()
    await expect(newest.locator(".cc-saving .cc-status")).to_contain_text("nothing is learned from this run")

    (generation,) = await runtime.run(lambda service: service.generations(1))
    assert [image.verdict for image in generation.images] == [None] * 3
    await shown.get_by_label("Show").select_option("Not judged yet")
    await expect(rounds).to_have_count(8)


async def test_history_has_a_note_that_is_kept_and_found(page: Page, runtime: Runtime) -> None:
    """Saved when the field is left; shown again, found by a part of it, and refused with the reason."""
    shown = await tab(page, "History")
    rounds = shown.get_by_role("article")
    await expect(rounds).to_have_count(20)
    second = rounds.nth(1)
    await second.get_by_label("Note").fill("the <b>good</b> light")
    await second.get_by_label("Note").blur()
    await expect(second.locator(".cc-own-note .cc-status")).to_have_text("Saved.")
    _, held = await runtime.run(lambda service: service.generations(2))
    assert held.note == "the <b>good</b> light"

    await shown.get_by_label("Keyword or note").fill("GOOD</b> li")
    await expect(rounds).to_have_count(1)
    await expect(rounds.get_by_label("Note")).to_have_value("the <b>good</b> light")

    await page.route("**/generations/note", lambda route: route.abort())
    await rounds.get_by_label("Note").fill("another")
    await rounds.get_by_label("Note").blur()
    await expect(rounds.locator(".cc-own-note .cc-status")).to_contain_text("Not saved: ")


async def test_history_shows_what_was_kept_and_what_was_not(page: Page, runtime: Runtime) -> None:
    """And what was not judged yet."""
    newest = await runtime.run(lambda service: service.generations(3))
    await runtime.run(lambda service: service.record_feedback(newest[0].id, selected_images=[0]))
    await runtime.run(lambda service: service.record_feedback(newest[1].id, rejected_images=[0]))
    await runtime.run(lambda service: service.record_feedback(newest[2].id))
    shown = await tab(page, "History")

    for choice, kept in (("Kept", True), ("Not kept", False)):
        await shown.get_by_label("Show").select_option(choice)
        all_of_it = await runtime.run(lambda service, kept=kept: service.generations(20, kept=kept))
        await expect(shown.get_by_role("article")).to_have_count(len(all_of_it))
        assert newest[not kept].id in {generation.id for generation in all_of_it}


async def test_a_prompt_that_is_markup_is_shown_as_text(page: Page) -> None:
    """Prompts come from anywhere; none may run in the page."""
    shown = await tab(page, "History")

    await expect(shown.get_by_role("article").first).to_contain_text(HOSTILE)
    assert await page.evaluate("window.hacked") is None


async def test_names_of_any_kind_are_text_and_stay_in_their_place(page: Page, runtime: Runtime) -> None:
    """Markup, 300 characters, another direction of writing, emoji: on every tab, and none widens the page.

    Nor a table, where there is room for all of its columns.
    """
    names = [HOSTILE, "endless" * 43, "\u202edetrever\u202c/مرحبا שלום.safetensors", "🎨👩‍🎨/🖼️.ckpt"]
    recommended = await runtime.run(lambda service: service.recommend(f"\u202e מגדל 🗼 {HOSTILE}, {'x' * 300}", names))
    generation_id = await runtime.run(lambda service: service.log_generation(recommended, dict.fromkeys(names, 1)))
    await runtime.run(lambda service: service.record_feedback(generation_id, selected_images=[0], rejected_images=[1]))
    await page.set_viewport_size({"width": 360, "height": 800})

    for name in TABS:
        shown = await tab(page, name)
        if name == "Checkpoints":
            for checkpoint in names:
                title = json.dumps(shown_name(checkpoint), ensure_ascii=False)
                await expect(shown.locator(f"[title={title}]").first).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, name

    await page.set_viewport_size({"width": 800, "height": 800})
    for name, search, rows in (("Preferences", "xxx", 2), ("Checkpoints", "endless", 1)):
        shown = await tab(page, name)
        if name == "Preferences":
            await shown.get_by_role("button", name="Table").click()
        await shown.get_by_role("searchbox").fill(search)
        await expect(shown.get_by_role("table").get_by_role("row", name=search)).to_have_count(rows)
        assert await page.locator(".cc-panel").evaluate(LAYOUT_FAULTS) == [], name

    assert await page.evaluate("window.hacked") is None
    assert await page.locator("img[src=x]").count() == 0


EMPTY = {
    "Overview": "Run a workflow with the Feedback Recorder",
    "Preferences": "Run a workflow with the Feedback Recorder",
    "History": "Run a workflow with the Feedback Recorder",
    "Checkpoints": "Put files into ComfyUI's folder models/checkpoints",
    "LoRAs": "Keep images that you made with LoRAs",
    "Try": "Type a prompt",
}


async def test_where_there_is_nothing_yet_each_tab_says_what_to_do(runtime: Runtime, browser: Browser) -> None:
    """Before the first generation; on a narrow page nothing of it is cut off."""
    async with TestServer(build_app(runtime)) as server:
        page = await browser.new_page(viewport={"width": 300, "height": 900})
        await page.goto(str(server.make_url("/")))
        for name, told in EMPTY.items():
            await expect(await tab(page, name)).to_contain_text(told)
            assert await page.locator(".cc-panel").evaluate(LAYOUT_FAULTS) == [], name
        await page.close()


@pytest.mark.parametrize("width", [300, 420, 600, 1200])
async def test_nothing_is_cut_off_and_nothing_scrolls_sideways(page: Page, width: int) -> None:
    """On every tab, as narrow as a sidebar and as wide as a page; the columns of all tables keep their titles."""
    await page.set_viewport_size({"width": width, "height": 900})
    faults = {}
    for name in TABS:
        shown = await tab(page, name)
        views: list[Locator | None] = [*await shown.locator(".cc-views button").all()]
        for view in views or [None]:
            if view:
                await view.click()
                await expect(shown).not_to_contain_text("Loading")
            for folded in await shown.locator("summary:visible").all():
                await folded.click()
            unfold = shown.locator(".cc-expand:visible, .cc-map td > button:visible").first
            if await unfold.count():
                await unfold.click()
                await expect(shown).not_to_contain_text("Loading")
            told = await view.inner_text() if view else ""
            faults[f"{name} {told}"] = await page.locator(".cc-panel").evaluate(LAYOUT_FAULTS)
    assert {name: found for name, found in faults.items() if found} == {}


async def test_loras_are_recommended_and_listed_with_what_is_known(page: Page, runtime: Runtime) -> None:
    """Without a ComfyUI the person names them; where none is named it says so, and names are text."""

    async def judge(service: PreferenceService) -> None:
        for _ in range(8):
            recommendation = await service.recommend("pencil sketch", CANDIDATES[:1])
            recipes = [Recipe(loras=((HOSTILE, 0.8, 0.8),)), Recipe(loras=())]
            generation = await service.log_generation(recommendation, {CANDIDATES[0]: 2}, recipes=recipes)
            await service.record_feedback(generation, selected_images=[0], rejected_images=[1])

    await runtime.run(judge)
    shown = await tab(page, "LoRAs")
    await expect(shown).to_contain_text("Nothing is known yet.")
    await shown.get_by_role("button", name="Which LoRAs?").click()
    await expect(shown).to_contain_text("Name at least one LoRA to choose from.")

    await shown.get_by_label("LoRAs to choose from").fill(f"{HOSTILE}\n\n detail.safetensors ")
    await shown.get_by_label("Prompt").fill("a pencil sketch")
    await shown.get_by_role("button", name="Which LoRAs?").click()

    recommended = shown.get_by_role("list", name="Recommended LoRAs, best first").get_by_role("listitem")
    await expect(recommended).to_have_count(1)
    await expect(recommended).to_contain_text(HOSTILE)
    await expect(recommended).to_contain_text(re.compile(r"strength 0\.8, \d+ % sure"))
    await expect(recommended).to_contain_text("you kept 8 of 8 images with it")
    row = shown.locator("tbody tr").first
    await expect(row.get_by_role("cell").nth(1)).to_have_text("8 of 8")
    await row.get_by_role("button").click()
    await expect(shown.locator(".cc-details")).to_contain_text("you kept 8 of 8 images with it")
    await shown.get_by_label("Prompt").fill("")
    await shown.get_by_role("button", name="Which LoRAs?").click()
    await expect(recommended).to_have_count(0)
    await expect(shown.locator("tbody tr:visible")).to_have_count(1)
    assert await page.evaluate("window.hacked") is None


async def test_checkpoints_are_listed_with_the_interval_of_their_share(page: Page) -> None:
    """Without a ComfyUI nothing is known of files, so none is missing."""
    shown = await tab(page, "Checkpoints")

    await expect(shown.locator("tbody tr:visible")).to_have_count(3)
    await expect(shown.get_by_role("img", name="100 %, likely 90 % to 100 %")).to_be_visible()
    await expect(shown.locator(".cc-flag")).to_have_count(0)


async def test_checkpoints_are_pinned_and_banned(page: Page, runtime: Runtime) -> None:
    """By the keyboard too: the focus stays on the button that was pressed."""
    shown = await tab(page, "Checkpoints")
    first, second = sorted(CANDIDATES)[:2]

    await shown.get_by_role("button", name=f"Pin {first}").focus()
    await page.keyboard.press("Enter")
    await expect(shown.locator(".cc-status")).to_contain_text("Pinned. It is always shown from now on")
    await expect(shown.get_by_role("button", name=f"Pin {first}")).to_be_focused()
    await shown.get_by_role("button", name=f"Ban {second}").click()
    await expect(shown.locator(".cc-status")).to_contain_text("Banned")
    assert (runtime.settings.pinned, runtime.settings.banned) == ((first,), (second,))

    await shown.get_by_role("button", name=f"Ban {first}").click()
    await expect(shown.locator(".cc-status")).to_contain_text(f"Banned. It is never a candidate from now on: {first}")
    await shown.get_by_role("button", name=f"Ban {second}").click()
    await expect(shown.locator(".cc-status")).to_contain_text(f"Neither pinned nor banned: {second}")
    assert (runtime.settings.pinned, runtime.settings.banned) == ((), (first,))


async def test_the_settings_of_a_checkpoint_are_seen_and_set_by_keyboard(page: Page, runtime: Runtime) -> None:
    """An empty field shows what is used without it; another sampler than ComfyUI's own may be another pack's."""
    shown, name = await tab(page, "Checkpoints"), sorted(CANDIDATES)[0]
    runtime.change_profile(name, {"cfg": 1.5})
    await shown.get_by_role("button", name=f"Settings of {name}").focus()
    await page.keyboard.press("Enter")
    form = shown.get_by_role("form", name=f"Settings of {name}")
    await expect(shown.locator(".cc-branch-settings")).to_have_text("cfg 1.5 (you set it)")
    await expect(form.get_by_label("CFG")).to_have_value("1.5")

    await form.get_by_label("Steps").focus()
    await page.keyboard.type("6")
    await form.get_by_label("Sampler").fill("DPM++ SDE Karras")
    await form.get_by_label("Words before the prompt").fill("score_9")
    await form.get_by_label("CFG").fill("")
    await form.get_by_role("button", name="Save settings").focus()
    await page.keyboard.press("Enter")

    await expect(form.locator(".cc-status")).to_have_text("Saved.")
    await expect(form.get_by_label("Scheduler")).to_have_value("karras")
    await expect(form.get_by_role("button", name="Save settings")).to_be_focused()
    assert runtime.settings.profiles == {name: Profile(6, None, "dpmpp_sde", "karras", before="score_9")}

    await form.get_by_label("Width").fill("832")
    await form.get_by_role("button", name="Save settings").click()
    await expect(form.locator(".cc-status")).to_contain_text("width alone is no size")
    await form.get_by_role("button", name="Take back all").click()
    await expect(shown.locator(".cc-branch-settings")).to_contain_text("Nothing is known of its settings")
    assert runtime.settings.profiles == {}


async def test_the_settings_of_a_checkpoint_can_be_set_once_they_are_known(page: Page, runtime: Runtime) -> None:
    """Before, an answer would replace what was typed, and a saved empty field would take a value back."""
    shown, name = await tab(page, "Checkpoints"), sorted(CANDIDATES)[0]
    runtime.change_profile(name, {"cfg": 1.5})
    late = asyncio.Event()

    async def answer(route: Route) -> None:
        await late.wait()
        await route.continue_()

    await page.route("**/profiles*", answer)
    await shown.get_by_role("button", name=f"Settings of {name}").click()
    form = shown.get_by_role("form", name=f"Settings of {name}")
    await expect(shown).to_contain_text("Loading")
    await expect(form).to_have_count(0)  # hidden ones have no role

    late.set()
    await expect(form.get_by_label("CFG")).to_have_value("1.5")


async def test_a_number_out_of_range_is_refused_before_it_is_sent(page: Page, runtime: Runtime) -> None:
    """The browser says so at the field."""
    shown, name = await tab(page, "Checkpoints"), sorted(CANDIDATES)[0]
    await shown.get_by_role("button", name=f"Settings of {name}").click()
    form = shown.get_by_role("form", name=f"Settings of {name}")
    await expect(form.get_by_label("Steps")).to_have_value("")

    await form.get_by_label("Steps").fill("0")
    await form.get_by_role("button", name="Save settings").click()

    assert await form.get_by_label("Steps").evaluate("(input) => !input.validity.valid")
    await expect(form.get_by_label("Steps")).to_be_focused()
    assert runtime.settings.profiles == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_settings_of_a_checkpoint_fit_a_narrow_sidebar(
    page: Page, serious_faults: Callable[[Any, str], Awaitable[list[str]]], scheme: Any
) -> None:
    """At 300 pixels nothing of the form is cut off, and axe-core finds no serious fault."""
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": 300, "height": 800})
    shown, name = await tab(page, "Checkpoints"), sorted(CANDIDATES)[0]
    await shown.get_by_role("button", name=f"Settings of {name}").click()
    form = shown.get_by_role("form", name=f"Settings of {name}")
    await expect(form).to_be_visible()

    left, right = await form.evaluate(
        "(form) => [form.getBoundingClientRect().left, form.getBoundingClientRect().right]"
    )

    assert 0 <= left < right <= 300
    wide = (
        "(form) => [...form.querySelectorAll('input, textarea, button')].filter((one) => one.offsetWidth > 276).length"
    )
    assert await form.evaluate(wide) == 0
    assert await serious_faults(page, "body") == []


async def test_no_two_names_look_alike(page: Page, runtime: Runtime) -> None:
    """A checkpoint and a keyword with a mark of direction: in every tab, in labels and titles too."""
    with closing(sqlite3.connect(runtime.data_directory / "preferences.db")) as database, database:
        database.execute("UPDATE checkpoints SET name = ? WHERE name = ?", (f"x\u202e{CANDIDATES[0]}", CANDIDATES[0]))
        database.execute("UPDATE keywords SET text = ? WHERE text = ?", ("masterpiece\u200b", "masterpiece"))
    await page.reload()

    for name in TABS:
        shown = await tab(page, name)
        if name == "Try":
            await shown.get_by_label("Prompt").fill("a castle")
            await shown.get_by_role("button", name="What would it pick?").click()
            await shown.get_by_role("button", name="Why?").click()
            await expect(shown.locator(".cc-why")).to_contain_text("castle")
        elif name == "Preferences":
            await shown.get_by_label("Search").fill("masterpiece")
            await expect(shown).to_contain_text("masterpiece[U+200B]")
            await shown.get_by_role("button", name="epicrealismXL").first.click()
        elif name == "LoRAs":
            await expect(shown.locator("option", has_text="[U+202E]")).to_be_attached()
        elif name == "Checkpoints":
            await shown.get_by_role("button", name="Pin x[U+202E]epicrealismXL").click()
            await expect(shown.locator(".cc-status")).to_contain_text("from now on: x[U+202E]epicrealismXL")
        texts = await shown.evaluate(
            "shown => [shown.innerText, ...[...shown.querySelectorAll('*')].flatMap("
            "(part) => [part.title, part.ariaLabel])].join()"
        )
        assert "\u202e" not in texts, name
        assert "\u200b" not in texts, name
        if name not in ("Overview", "Settings"):
            assert "[U+202E]" in texts, name
    assert runtime.settings.pinned == (f"x\u202e{CANDIDATES[0]}",)


async def test_it_tells_what_a_prompt_would_get_and_why(page: Page) -> None:
    """The answer is the route's; without a candidate the page says what is missing."""
    shown = await tab(page, "Try")
    candidates = shown.get_by_label("Checkpoints to choose from")
    await expect(candidates).to_have_value("\n".join(sorted(CANDIDATES)))

    await shown.get_by_label("Prompt").fill("a castle")
    async with page.expect_response("**/recommend") as response:
        await shown.get_by_role("button", name="What would it pick?").click()
    recommended = await (await response.value).json()
    await expect(shown.locator(".cc-plan-section")).to_contain_text("epicrealismXL")
    # Built here from its parts, and in English the same as the server says.
    await expect(shown.locator(".cc-explanation")).to_have_text(recommended["explanation"])
    async with page.expect_response("**/explain") as response:
        await shown.get_by_role("button", name="Why?").click()
    why = await (await response.value).json()
    await expect(shown.locator(".cc-why")).to_contain_text("castle")
    await expect(shown.locator(".cc-summary")).to_have_text(why["summary"])
    await expect(shown.locator(".cc-why")).to_contain_text(why["would_change"]["sentence"])

    await candidates.fill(" \n ")
    await shown.get_by_role("button", name="What would it pick?").click()
    await expect(shown.locator(".cc-status")).to_contain_text("Name at least one checkpoint")


async def test_checkpoints_of_one_name_in_two_folders_are_told_apart(page: Page, runtime: Runtime) -> None:
    """In tables, captions, filters, plans and sentences."""
    names = ["sdxl/photo/epic.safetensors", "sdxl/anime/epic.safetensors"]
    recommended = await runtime.run(lambda service: service.recommend("two folders", names))
    generation_id = await runtime.run(lambda service: service.log_generation(recommended, dict.fromkeys(names, 1)))
    await runtime.run(lambda service: service.record_feedback(generation_id, selected_images=[0], rejected_images=[1]))

    for name, search in (("Checkpoints", "epic"), ("Preferences", "folders"), ("History", ""), ("Try", "")):
        shown = await tab(page, name)
        if search:
            await shown.get_by_role("searchbox").fill(search)
        if name == "History":
            shown = shown.get_by_role("article").first
        if name == "Try":
            await shown.get_by_label("Prompt").fill("two folders")
            candidates = shown.get_by_label("Checkpoints to choose from")
            await expect(candidates).not_to_have_value("")
            await candidates.fill("\n".join(names))
            await shown.get_by_role("button", name="What would it pick?").click()
            await expect(shown.locator(".cc-explanation")).to_contain_text(
                re.compile("Compare (photo|anime)/epic and ")
            )
            await shown.get_by_role("button", name="Why?").click()
            await expect(shown.locator(".cc-why")).to_contain_text(re.compile("(photo|anime)/epic is second"))
        for folder in ("photo", "anime"):
            await expect(shown.get_by_text(f"{folder}/epic", exact=True).first).to_be_visible()
    options = page.get_by_label("With an image of").locator("option")
    assert {"photo/epic", "anime/epic"} <= set(await options.all_text_contents())


@pytest.mark.parametrize(
    ("language", "tab_name", "asks", "explains", "sentence", "change"),
    [
        ("zh-CN", "试一试", "它会选哪个？", "为什么？", "明显胜出（保留的图像：“castle”", "位居第二"),
        ("ja", "試す", "何を選ぶか見る", "なぜ？", "はっきり勝っています（残した画像：「castle」", "2 番目"),
    ],
)
async def test_the_reasons_are_told_in_the_languages_of_the_page(
    page: Page,
    browser: Browser,
    language: str,
    tab_name: str,
    asks: str,
    explains: str,
    sentence: str,
    change: str,
) -> None:
    """The server's sentence is English; the page builds its own."""
    context = await browser.new_context(locale=language)
    other = await context.new_page()
    await other.goto(page.url)
    await other.get_by_role("tab", name=tab_name).click()
    shown = other.get_by_role("tabpanel", name=tab_name)
    await shown.get_by_label("プロンプト" if language == "ja" else "提示词").fill("a castle")
    await shown.get_by_role("button", name=asks).click()
    await expect(shown.locator(".cc-explanation")).to_contain_text(sentence)
    await shown.get_by_role("button", name=explains).click()
    await expect(shown.locator(".cc-why")).to_contain_text(change)
    words = await shown.locator(".cc-plan").text_content()
    assert not re.search(r"\b(the|such|leads|verdict|second)\b", words or "")
    await context.close()


async def test_a_prompt_is_tried_before_the_checkpoints_are_listed(page: Page) -> None:
    """Whoever is quicker than the list gets an answer all the same."""

    async def late(route: Route) -> None:
        await asyncio.sleep(1)
        await route.continue_()

    await page.route("**/checkpoints*", late)
    shown = await tab(page, "Try")
    await shown.get_by_label("Prompt").fill("a castle")
    await shown.get_by_role("button", name="What would it pick?").click()
    await expect(shown.locator(".cc-explanation")).to_contain_text("castle")


async def test_settings_are_changed_and_a_refusal_is_set_back(page: Page, runtime: Runtime) -> None:
    """The server's settings are the truth."""
    shown = await tab(page, "Settings")
    await shown.get_by_label("How to learn").select_option("counts")
    await expect(shown.locator(".cc-status").first).to_have_text("Saved.")

    await shown.get_by_label("Keep the prompts' texts").uncheck()
    await shown.get_by_label("Forget generations after this many days").fill("400")
    await shown.get_by_label("Forget generations after this many days").blur()
    await wait_until(lambda: runtime.settings.retention_days == 400)
    assert runtime.settings.keep_prompts is False

    threshold = shown.get_by_label("Compare two checkpoints above")
    await threshold.fill("0.9")
    await threshold.blur()

    await expect(shown.locator(".cc-status").first).to_contain_text("Not saved")
    await expect(threshold).to_have_value("0.3")
    assert (runtime.settings.policy, runtime.settings.explore_threshold) == ("counts", 0.3)
    await expect(shown.locator(".cc-database")).to_contain_text(runtime.database_name)


async def test_a_setting_that_is_being_written_outlasts_the_answer_to_another(page: Page) -> None:
    """The answer tells all settings as they were before."""
    shown = await tab(page, "Settings")
    days = shown.get_by_label("Forget generations after this many days")
    await days.fill("400")
    async with page.expect_response("**/settings") as answered:
        await shown.get_by_label("Keep the prompts' texts").evaluate("(box) => box.click()")
    await (await answered.value).finished()
    await expect(shown.locator(".cc-status").first).to_have_text("Saved.")
    await expect(days).to_have_value("400")


async def test_everything_is_exported_and_imported(page: Page, runtime: Runtime, tmp_path: Path) -> None:
    """The export is a file of the browser's; importing it again changes nothing; a bad line is refused."""
    shown = await tab(page, "Settings")
    await shown.get_by_label("Without prompts").check()
    async with page.expect_download() as download:
        await shown.get_by_role("link", name="Export").click()
    exported = tmp_path / "exported.jsonl"
    await (await download.value).save_as(exported)
    assert "castle" in exported.read_text("utf-8")  # as a keyword
    assert "masterpiece, light" not in exported.read_text("utf-8")

    choose = shown.locator(".cc-import-export input[type=file]")
    await choose.set_input_files(exported)
    await expect(shown.locator(".cc-import-export .cc-status")).to_have_text(
        "Imported: 0 of 40 generations are new, 0 verdicts are newer."
    )
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{nonsense\n", "utf-8")
    await choose.set_input_files(bad)
    await expect(shown.locator(".cc-import-export .cc-status")).to_contain_text("Nothing was imported: ")
    assert len(await runtime.run(lambda service: service.generations(100))) == 40


async def test_what_was_learned_is_downloaded_as_csv_as_far_as_it_was_searched(page: Page, tmp_path: Path) -> None:
    """All rows that fit the search, not only those of the page that is shown."""
    shown = await tab(page, "Preferences")
    await shown.get_by_role("searchbox").fill("castle")
    await expect(shown.locator("tbody tr").first).to_contain_text("castle")

    async with page.expect_download() as download:
        await shown.get_by_role("link", name="Download CSV").click()

    file = await download.value
    await file.save_as(tmp_path / "learned.csv")
    heading, *rows = (tmp_path / "learned.csv").read_text("utf-8-sig").splitlines()
    assert file.suggested_filename == "context-checkpoint.csv"
    assert heading == "keyword,checkpoint,selected,total,rate,rounds"
    assert rows
    assert all("castle" in row for row in rows)


async def test_what_somebody_shared_is_adopted_listed_and_removed(page: Page, tmp_path: Path) -> None:
    """A file that is none is refused with the reason, and nothing changes."""
    file, bad = tmp_path / "<b>anna.json", tmp_path / "bad.json"
    checkpoints = [{"name": "a.safetensors"}]
    content = {"format": "context-checkpoint-share", "version": 1, "checkpoints": checkpoints, "words": {"sea": [9, 9]}}
    file.write_text(json.dumps(content), "utf-8")
    bad.write_text(json.dumps({**content, "version": 9}), "utf-8")
    shown = (await tab(page, "Settings")).locator(".cc-adopted")

    await shown.locator("input[type=file]").set_input_files(bad)
    await expect(shown.locator(".cc-status")).to_contain_text("version 9 of the format")
    await shown.locator("input[type=file]").set_input_files(file)
    await expect(shown.locator("li")).to_contain_text("<b>anna.json")
    await shown.get_by_role("button", name="Remove").click()

    await expect(shown.locator("li")).to_have_count(0)


async def test_a_round_and_everything_are_forgotten_once_that_is_confirmed(page: Page, runtime: Runtime) -> None:
    """Asked before; a no changes nothing."""
    shown = await tab(page, "History")
    rounds = shown.get_by_role("article")
    await expect(rounds).to_have_count(20)
    (newest,) = await runtime.run(lambda service: service.generations(1))

    page.once("dialog", lambda dialog: dialog.dismiss())
    await rounds.first.get_by_role("button", name="Forget this generation").click()
    await expect(rounds).to_have_count(20)
    page.once("dialog", lambda dialog: dialog.accept())
    await rounds.first.get_by_role("button", name="Forget this generation").click()
    await expect(rounds).to_have_count(19)
    await expect(rounds.first).to_be_focused()
    assert newest.id not in {one.id for one in await runtime.run(lambda service: service.generations(100))}

    shown = await tab(page, "Settings")
    page.once("dialog", lambda dialog: dialog.accept())
    await shown.get_by_role("button", name="Forget the prompts' texts").click()
    await expect(shown.locator(".cc-forget").first).to_contain_text("Forgotten: 39 generations.")
    page.once("dialog", lambda dialog: dialog.accept())
    await shown.get_by_role("button", name="Forget everything").click()
    await expect(shown.locator(".cc-forget").last).to_contain_text("Forgotten: 39 generations.")
    await expect(shown).to_contain_text("0 generations, 0 with a verdict")
    assert (await runtime.run(lambda service: service.statistics())).pairs == ()


@pytest.mark.parametrize(
    ("locale", "lang", "checkpoints"), [("ja-JP", "ja", "チェックポイント"), ("zh-CN", "zh", "检查点")]
)
async def test_it_speaks_the_browsers_language(
    page: Page, browser: Browser, locale: str, lang: str, checkpoints: str
) -> None:
    """Tabs, settings and their help, from the files that ComfyUI reads too."""
    other = await browser.new_page(locale=locale)
    await other.goto(page.url)

    await expect(other.get_by_role("tab", name=checkpoints)).to_be_visible()
    await expect(other.locator("html")).to_have_attribute("lang", lang)
    await other.locator("[data-tab=settings]").click()
    shown = json.loads((ROOT / "locales" / lang / "settings.json").read_text("utf-8"))
    await expect(other.get_by_label(shown["ContextCheckpoint_Policy"]["name"])).to_be_visible()
    await expect(other.get_by_role("tabpanel").last).to_contain_text(shown["ContextCheckpoint_KeptLoaders"]["tooltip"])
    await other.close()


async def test_tabs_are_reached_by_the_keyboard_and_remembered(page: Page) -> None:
    """Arrows lead from tab to tab; a reload shows the same one."""
    await page.get_by_role("tab", name="Overview").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")

    await expect(page.get_by_role("tab", name="History")).to_be_focused()
    await page.reload()
    await expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_kept_out(
    page: Page, serious_faults: Callable[[Any, str], Awaitable[list[str]]], scheme: Any
) -> None:
    """axe-core finds no serious fault on any tab, in either theme."""
    await page.emulate_media(color_scheme=scheme)
    faults = {}
    for name in TABS:
        await tab(page, name)
        faults[name] = await serious_faults(page, "body")

    assert {name: problems for name, problems in faults.items() if problems} == {}
