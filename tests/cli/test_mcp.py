"""The server for AI agents, as an agent's program starts it: another process, asked by the SDK's own client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.learning import PreferenceService

from .conftest import NAMES, CommandLine, Done

mcp = pytest.importorskip("mcp", reason="the extra [mcp] is not installed")

PROMPT = "watercolour fox in the snow"
Call = Callable[..., Any]


def client(run: CommandLine, *options: str) -> Any:
    command, *arguments = run.arguments("mcp", *options)
    return mcp.Client(mcp.StdioServerParameters(command=command, args=arguments, env=run.environment, cwd=run.home))


async def answer(agent: Any, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers, in its structured form."""
    result = await agent.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return dict(result.structured_content)


async def refusal(agent: Any, tool: str, **arguments: Any) -> str:
    """The message of a call that fails."""
    result = await agent.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


async def test_an_agent_asks_shows_images_and_passes_on_what_was_kept(run: CommandLine, database: Path) -> None:
    """What the person kept changes the next recommendation, and `explain` says so."""
    async with client(run, "--database", str(database)) as agent:
        first = await answer(agent, "recommend", prompt=PROMPT, candidates=NAMES)
        assert set(first["checkpoints"]) == set(NAMES)
        for _ in range(8):
            verdict = await answer(
                agent, "feedback", prompt=PROMPT, selected={NAMES[2]: 1}, rejected=dict.fromkeys(NAMES[:2], 1)
            )
        assert (verdict["selected"], verdict["rejected"], verdict["without_verdict"]) == (1, 2, 0)
        after = await answer(agent, "recommend", prompt=PROMPT, candidates=NAMES)
        why = await answer(agent, "explain", prompt=PROMPT, candidates=NAMES)

    assert after["checkpoints"] == [NAMES[2]]
    assert after["confidence"] > first["confidence"]
    assert why["checkpoints"][0]["checkpoint"] == NAMES[2]
    assert "fox" in {reason["keyword"] for reason in why["checkpoints"][0]["speak_for"]}


async def test_a_verdict_of_an_agent_can_be_replaced_and_withdrawn(run: CommandLine, database: Path) -> None:
    """By the id that the first one returned; nothing is logged twice."""
    async with client(run, "--database", str(database)) as agent:
        first = await answer(agent, "feedback", prompt=PROMPT, selected={NAMES[0]: 1}, rejected={NAMES[1]: 2})
        again = await answer(agent, "feedback", generation_id=first["generation_id"], selected_images=[1, 2])
        empty = await answer(agent, "feedback", generation_id=first["generation_id"], selected={})

    assert [again[name] for name in ("selected", "rejected", "without_verdict")] == [2, 0, 1]
    assert [empty[name] for name in ("selected", "rejected", "without_verdict")] == [0, 0, 3]
    service = await PreferenceService.open(database)
    assert (await service.overview()).generations == 1
    await service.close()


async def test_a_run_in_comfyui_is_judged_by_the_id_that_comfyui_gave_it(run: CommandLine, database: Path) -> None:
    """That is the id which an agent has; where it has several generations, each is named."""
    service = await PreferenceService.open(database)
    plan = await service.recommend(PROMPT, NAMES)
    logged = [
        await service.log_generation(plan, dict.fromkeys(NAMES, 1), prompt_id=prompt_id)
        for prompt_id in ("run-1", "run-2", "run-2")
    ]
    await service.close()

    async with client(run, "--database", str(database)) as agent:
        verdict = await answer(agent, "feedback", prompt_id="run-1", selected_images=[0])
        several = await refusal(agent, "feedback", prompt_id="run-2", selected_images=[0])
        unknown = await refusal(agent, "feedback", prompt_id="run-3", selected_images=[0])

    assert verdict["generation_id"] == logged[0]
    assert all(generation in several for generation in logged[1:])
    assert unknown.startswith("No generation of ComfyUI's run run-3 is logged.")


async def test_settings_and_loras_are_recommended(run: CommandLine, database: Path) -> None:
    """Before anything is known: the default, and no LoRA whose words do not fit."""
    async with client(run, "--database", str(database)) as agent:
        steps = await answer(agent, "recommend_parameter", prompt=PROMPT, name="steps", default=24)
        size = await answer(agent, "recommend_parameter", prompt=PROMPT, name="size", default="832x1216")
        loras = await answer(agent, "recommend_loras", prompt=PROMPT, available=["ink.safetensors"])

    assert (steps["value"], steps["confidence"], size["value"]) == (24, 0.0, "832x1216")
    assert (loras["loras"], loras["confidence"]) == ([], 0.0)
    assert loras["reason"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("recommend", {}, "prompt: Field required"),
        ("recommend", {"prompt": "a", "negativ": "b"}, "recommend takes no negativ. It takes: prompt, candidates,"),
        ("recommend", {"prompt": "a"}, "Name the candidates, or start the server with --folder DIR."),
        ("recommend", {"prompt": "a", "candidates": []}, "There is no checkpoint to choose from"),
        ("recommend", {"prompt": "a", "candidates": NAMES, "stage": "last"}, "stage: Input should be 'draft'"),
        ("feedback", {"selected": {NAMES[0]: 1}}, "Give one of generation_id, prompt_id and prompt."),
        ("feedback", {"prompt": "a"}, "give selected, rejected, selected_images or rejected_images"),
        ("feedback", {"prompt": "a", "selected_images": [0]}, "With prompt, give counts by checkpoint"),
        ("feedback", {"generation_id": "nothing", "selected": {}}, "No generation 'nothing' is logged."),
        ("recommend_parameter", {"prompt": "a", "name": "steps", "default": "many"}, "steps"),
        ("recommend_loras", {"prompt": "a"}, "Name the LoRAs that are available"),
    ],
)
async def test_bad_input_gets_a_message_that_says_what_to_give(
    run: CommandLine, database: Path, tool: str, arguments: dict[str, Any], said: str
) -> None:
    """In the pack's own words, without the name of an exception."""
    async with client(run, "--database", str(database)) as agent:
        told = await refusal(agent, tool, **arguments)

    assert said in told
    assert not told.startswith("Error executing")


async def test_no_answer_shows_a_prompt_that_was_not_asked(
    run: CommandLine, database: Path, logged: Callable[..., str]
) -> None:
    """What other people asked stays in the log, also for whoever judges their generation."""
    theirs = "unmistakable zeppelin over Lisbon"
    generation = await asyncio.to_thread(logged, theirs, (0,))

    async with client(run, "--database", str(database)) as agent:
        said = [
            await agent.call_tool("recommend", {"prompt": PROMPT, "candidates": NAMES}),
            await agent.call_tool("explain", {"prompt": PROMPT, "candidates": NAMES}),
            await agent.call_tool("feedback", {"generation_id": generation, "selected_images": [1]}),
            await agent.call_tool("recommend_parameter", {"prompt": PROMPT, "name": "cfg", "default": 7.0}),
            await agent.call_tool("recommend_loras", {"prompt": PROMPT, "available": ["a.safetensors"]}),
            await agent.list_tools(),
        ]

    assert all(not getattr(each, "is_error", False) for each in said)
    assert not any(word in str(said) for word in ("zeppelin", "Lisbon", "unmistakable"))


async def test_without_names_the_files_of_the_folder_are_meant(
    run: CommandLine, database: Path, tmp_path: Path
) -> None:
    """As in the commands with --folder."""
    (tmp_path / "models").mkdir()
    for name in ("a.ckpt", "b.ckpt"):
        (tmp_path / "models" / name).write_bytes(b"")

    async with client(run, "--database", str(database), "--folder", str(tmp_path / "models")) as agent:
        plan = await answer(agent, "recommend", prompt=PROMPT)

    assert set(plan["scores"]) == {"a.ckpt", "b.ckpt"}


async def test_the_settings_of_the_person_hold_for_an_agent(run: CommandLine, database: Path) -> None:
    """A banned checkpoint is not recommended, and prompts are not stored where they shall not be."""
    banned = run("settings", f"banned={NAMES[0]}", "keep_prompts=false", "--database", str(database))
    assert (banned.status, banned.err) == (0, "")

    async with client(run, "--database", str(database)) as agent:
        plan = await answer(agent, "recommend", prompt=PROMPT, candidates=NAMES)
        verdict = await answer(agent, "feedback", prompt=PROMPT, selected={NAMES[1]: 1}, rejected={NAMES[2]: 1})

    assert NAMES[0] not in plan["checkpoints"]
    service = await PreferenceService.open(database)
    assert (await service.generation(verdict["generation_id"])).prompt == ""
    await service.close()


async def test_every_tool_says_what_it_does_and_whether_it_only_reads(run: CommandLine, database: Path) -> None:
    """An agent's program asks the person before a tool that changes something."""
    async with client(run, "--database", str(database)) as agent:
        tools = {tool.name: tool for tool in (await agent.list_tools()).tools}

    assert set(tools) == {"recommend", "explain", "feedback", "recommend_parameter", "recommend_loras"}
    assert [name for name, tool in tools.items() if not tool.annotations.read_only_hint] == ["feedback"]
    for tool in tools.values():
        assert tool.description
        assert tool.output_schema
        assert "prompt" in tool.input_schema["properties"]


def test_without_the_package_the_command_says_how_to_install_it(
    call: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is not a requirement of the pack."""
    for name in [name for name in sys.modules if name.endswith("cli.mcp_server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)

    done = call("mcp")

    assert (done.status, done.out) == (1, "")
    assert 'python -m pip install "context-checkpoint[mcp]"' in done.err
