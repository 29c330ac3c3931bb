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

A1111_SAMPLERS: Mapping[str, str] = {
    "euler": "Euler",
    "euler_cfg_pp": "Euler CFG++",
    "euler_ancestral": "Euler a",
    "euler_ancestral_cfg_pp": "Euler a CFG++",
    "heun": "Heun",
    "dpm_2": "DPM2",
    "dpm_2_ancestral": "DPM2 a",
    "lms": "LMS",
    "dpm_fast": "DPM fast",
    "dpm_adaptive": "DPM adaptive",
    "dpmpp_2s_ancestral": "DPM++ 2S a",
    "dpmpp_2s_ancestral_cfg_pp": "DPM++ 2S a CFG++",
    "dpmpp_sde": "DPM++ SDE",
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_cfg_pp": "DPM++ 2M CFG++",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun",
    "dpmpp_3m_sde": "DPM++ 3M SDE",
    "ddpm": "DDPM",
    "ddim": "DDIM",
    "lcm": "LCM",
    "deis": "DEIS",
    "ipndm": "IPNDM",
    "ipndm_v": "IPNDM_V",
    "uni_pc_bh2": "UniPC",
    "uni_pc": "UniPC",
}
"""A1111's and Forge's names, without the schedule (A1111: `sd_samplers_kdiffusion.py`)."""

A1111_SCHEDULERS: Mapping[str, str] = {
    "karras": "Karras",
    "exponential": "Exponential",
    "sgm_uniform": "SGM Uniform",
    "simple": "Simple",
    "normal": "Normal",
    "beta": "Beta",
    "ddim_uniform": "DDIM",
    "kl_optimal": "KL Optimal",
    "linear_quadratic": "Linear Quadratic",
}

_OTHER_SAMPLERS: Mapping[str, str] = {
    "euler ancestral": "euler_ancestral",
    "uni pc": "uni_pc",
    "unipc bh2": "uni_pc_bh2",
}
_OTHER_SCHEDULERS: Mapping[str, str] = {"uniform": "normal", "ddim uniform": "ddim_uniform"}
"""Further spellings, as `_plain` writes them."""

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
        for ending in sorted(_SCHEDULERS_BY_NAME, key=len, reverse=True):
            if plain.endswith(f" {ending}") and (found := _sampler(plain.removesuffix(f" {ending}"))) is not None:
                scheduler = scheduler or _SCHEDULERS_BY_NAME[ending]
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
    return as_comfyui if as_comfyui in SCHEDULERS else _SCHEDULERS_BY_NAME.get(plain)


def _sampler(plain: str) -> str | None:
    as_comfyui = plain.replace(" ", "_")
    return as_comfyui if as_comfyui in SAMPLERS else _SAMPLERS_BY_NAME.get(plain)


def _plain(name: str) -> str:
    """Lower case, with single spaces for all that separates words."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


_SAMPLERS_BY_NAME = {**{_plain(name): ours for ours, name in A1111_SAMPLERS.items()}, **_OTHER_SAMPLERS}
_SCHEDULERS_BY_NAME = {**{_plain(name): ours for ours, name in A1111_SCHEDULERS.items()}, **_OTHER_SCHEDULERS}
