"""ComfyUI's samplers and schedulers, and the names that A1111, Forge and Civitai have for them.

One table for all readers: images, sidecar files and what people type. A name that is in no table may be that of
another pack's sampler; only the ComfyUI that runs can tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SAMPLERS: tuple[str, ...] = (
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "euler_ancestral_cfg_pp",
    "heun",
    "heunpp2",
    "exp_heun_2_x0",
    "exp_heun_2_x0_sde",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpm_fast",
    "dpm_adaptive",
    "dpmpp_2s_ancestral",
    "dpmpp_2s_ancestral_cfg_pp",
    "dpmpp_sde",
    "dpmpp_sde_gpu",
    "dpmpp_2m",
    "dpmpp_2m_cfg_pp",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu",
    "dpmpp_2m_sde_heun",
    "dpmpp_2m_sde_heun_gpu",
    "dpmpp_3m_sde",
    "dpmpp_3m_sde_gpu",
    "ddpm",
    "lcm",
    "ipndm",
    "ipndm_v",
    "deis",
    "res_multistep",
    "res_multistep_cfg_pp",
    "res_multistep_ancestral",
    "res_multistep_ancestral_cfg_pp",
    "gradient_estimation",
    "gradient_estimation_cfg_pp",
    "er_sde",
    "seeds_2",
    "seeds_3",
    "sa_solver",
    "sa_solver_pece",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
)
"""KSampler's, as of ComfyUI 0.33 (`comfy.samplers.SAMPLER_NAMES`)."""

SCHEDULERS: tuple[str, ...] = (
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "normal",
    "linear_quadratic",
    "kl_optimal",
)
"""KSampler's, as of ComfyUI 0.33 (`comfy.samplers.SCHEDULER_NAMES`)."""

_SAMPLERS: Mapping[str, str] = {
    "euler": "euler",
    "euler a": "euler_ancestral",
    "euler ancestral": "euler_ancestral",
    "euler cfg++": "euler_cfg_pp",
    "euler a cfg++": "euler_ancestral_cfg_pp",
    "lms": "lms",
    "heun": "heun",
    "dpm2": "dpm_2",
    "dpm2 a": "dpm_2_ancestral",
    "dpm fast": "dpm_fast",
    "dpm adaptive": "dpm_adaptive",
    "dpm++ 2s a": "dpmpp_2s_ancestral",
    "dpm++ 2s a cfg++": "dpmpp_2s_ancestral_cfg_pp",
    "dpm++ 2m": "dpmpp_2m",
    "dpm++ 2m cfg++": "dpmpp_2m_cfg_pp",
    "dpm++ sde": "dpmpp_sde",
    "dpm++ 2m sde": "dpmpp_2m_sde",
    "dpm++ 2m sde heun": "dpmpp_2m_sde_heun",
    "dpm++ 3m sde": "dpmpp_3m_sde",
    "ddpm": "ddpm",
    "ddim": "ddim",
    "lcm": "lcm",
    "deis": "deis",
    "ipndm": "ipndm",
    "ipndm v": "ipndm_v",
    "unipc": "uni_pc",
    "uni pc": "uni_pc",
    "unipc bh2": "uni_pc_bh2",
    "res multistep": "res_multistep",
}
"""A1111's, Forge's and Civitai's names in lower case, without the schedule (A1111: `sd_samplers_kdiffusion.py`)."""

_SCHEDULERS: Mapping[str, str] = {
    "karras": "karras",
    "exponential": "exponential",
    "sgm uniform": "sgm_uniform",
    "uniform": "normal",
    "normal": "normal",
    "simple": "simple",
    "beta": "beta",
    "ddim": "ddim_uniform",
    "ddim uniform": "ddim_uniform",
    "kl optimal": "kl_optimal",
    "linear quadratic": "linear_quadratic",
}

_AUTOMATIC: Mapping[str, str] = {
    "dpm_2": "karras",
    "dpm_2_ancestral": "karras",
    "dpmpp_2s_ancestral": "karras",
    "dpmpp_2m": "karras",
    "dpmpp_sde": "karras",
    "dpmpp_2m_sde": "exponential",
    "dpmpp_2m_sde_heun": "exponential",
    "dpmpp_3m_sde": "exponential",
}
"""What A1111's schedule type `Automatic` means for each of its samplers; for the others, the model's own."""


def sampler_and_scheduler(sampler: str, schedule: str = "") -> tuple[str | None, str | None]:
    """Return ComfyUI's names; None for what has none.

    >>> sampler_and_scheduler("DPM++ 2M Karras")
    ('dpmpp_2m', 'karras')
    >>> sampler_and_scheduler("DPM++ 2M SDE", "Automatic")
    ('dpmpp_2m_sde', 'exponential')
    >>> sampler_and_scheduler("euler_ancestral", "sgm_uniform")
    ('euler_ancestral', 'sgm_uniform')
    >>> sampler_and_scheduler("Restart", "Align Your Steps")
    (None, None)

    Parameters
    ----------
    sampler
        In any spelling, with or without the schedule that A1111 before 1.9 wrote after it.
    schedule
        A1111's *Schedule type* or ComfyUI's scheduler; empty where it is not known.
    """
    plain, scheduler = _plain(sampler), scheduler_name(schedule)
    found = _sampler(plain)
    if found is None:
        # The longest ending first: "sgm uniform" before "uniform".
        for ending in sorted(_SCHEDULERS, key=len, reverse=True):
            if plain.endswith(f" {ending}") and (found := _sampler(plain.removesuffix(f" {ending}"))) is not None:
                scheduler = scheduler or _SCHEDULERS[ending]
                break
    if scheduler is None and found is not None and _plain(schedule) == "automatic":
        scheduler = _AUTOMATIC.get(found, "normal")
    return found, scheduler


def scheduler_name(schedule: str) -> str | None:
    """Return ComfyUI's name of a scheduler in any spelling; None where it has none.

    >>> scheduler_name("SGM Uniform"), scheduler_name("kl_optimal"), scheduler_name("AYS SDXL")
    ('sgm_uniform', 'kl_optimal', None)
    """
    plain = _plain(schedule)
    as_comfyui = plain.replace(" ", "_")
    return as_comfyui if as_comfyui in SCHEDULERS else _SCHEDULERS.get(plain)


def _sampler(plain: str) -> str | None:
    as_comfyui = plain.replace(" ", "_")
    return as_comfyui if as_comfyui in SAMPLERS else _SAMPLERS.get(plain)


def _plain(name: str) -> str:
    """Lower case, with single spaces for all that separates words."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()
