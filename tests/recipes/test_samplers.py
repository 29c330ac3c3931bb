"""Names of samplers and schedulers in the spelling of other programs."""

import pytest

from context_checkpoint.recipes.samplers import SAMPLERS, SCHEDULERS, sampler_and_scheduler, scheduler_name


@pytest.mark.parametrize(
    ("sampler", "schedule", "names"),
    [
        ("DPM++ 2M Karras", "", ("dpmpp_2m", "karras")),
        ("DPM++ SDE Karras", "", ("dpmpp_sde", "karras")),
        ("DPM++ 2M SDE SGMUniform", "", (None, None)),
        ("DPM++ 2M SDE SGM Uniform", "", ("dpmpp_2m_sde", "sgm_uniform")),
        ("Euler a", "", ("euler_ancestral", None)),
        ("Euler a", "Automatic", ("euler_ancestral", "normal")),
        ("DPM++ 2M", "Automatic", ("dpmpp_2m", "karras")),
        ("DPM++ 2M", "SGM Uniform", ("dpmpp_2m", "sgm_uniform")),
        ("DPM2 a Karras", "", ("dpm_2_ancestral", "karras")),
        ("UniPC", "", ("uni_pc", None)),
        ("DDIM", "", ("ddim", None)),
        ("LCM", "Align Your Steps", ("lcm", None)),
        ("  euler_ancestral ", "sgm_uniform", ("euler_ancestral", "sgm_uniform")),
        ("Restart", "Karras", (None, "karras")),
        ("Undefined", "", (None, None)),
        ("", "", (None, None)),
    ],
)
def test_names_of_a1111_and_civitai_become_those_of_comfyui(
    sampler: str, schedule: str, names: tuple[str | None, str | None]
) -> None:
    """The schedule may stand after the sampler or apart; what ComfyUI lacks has no name."""
    assert sampler_and_scheduler(sampler, schedule) == names


def test_comfyuis_own_names_stay() -> None:
    """Whatever ComfyUI writes can be read again."""
    assert [sampler_and_scheduler(name)[0] for name in SAMPLERS] == list(SAMPLERS)
    assert [scheduler_name(name) for name in SCHEDULERS] == list(SCHEDULERS)
