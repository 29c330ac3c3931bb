"""What the inputs of node classes mean: the only place that names classes and inputs of other packs.

Most nodes need no entry. The walk (`graph.py`) goes by the names that inputs have in nearly every pack, which are the
first half of this module; the second half lists the classes whose names mislead or say too little. Widget names are
for workflows saved by old frontends, which wrote the values by position only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Names = tuple[str, ...]

# Inputs by which a value goes through a node.

MODEL: Names = (
    "model",
    "base_model",
    "opt_model",
    "model_opt",
    "optional_model",
    "unet",
    "model_high_noise",
)
CLIP: Names = ("clip", "base_clip", "opt_clip", "clip_opt", "optional_clip")
POSITIVE = re.compile(
    r"^(base_|opt_|optional_)?(positive|cond_pos)(_opt|_cond|_conditioning|_NEW|_DEFAULT|_[A-Z]|_?\d+)?$"
)
NEGATIVE = re.compile(
    r"^(base_|opt_|optional_)?(negative|cond_neg|neg_conditioning)(_opt|_cond|_conditioning|_NEW|_DEFAULT|_[A-Z]|_?\d+)?$"
)
CONDITIONING = re.compile(r"(?i)^(conditioning|cond|text_embeds)(_?(to|from|a|b|\d+))?$")
PIPE = re.compile(
    r"(?i)^((base_|optional_|opt_)?(pipe|ctx|context|bus|basic_pipe|detailer_pipe|sdxl_pipe)(_?(opt|in|\d+))?"
    r"|sdxl_tuple|refiner_pipe|base_sampler)$"
)
LATENT = re.compile(
    r"(?i)^(optional_|upscaled_|opt_)?(latents?|latent_image|samples?|pixels)(_?(opt|to|from|\w|\d+|from\d+))?$"
)
IMAGE = re.compile(
    r"(?i)^(optional_|upscaled_|opt_)?(images?|latents?|latent_image|samples?|pixels|frames|video|img|clips?_frames)"
    r"(_?(opt|to|from|in|ref|target|\w|\d+|from\d+))?$|^(source|destination|target|anything|input|any|any_?\d+|value|\*)$"
)
NOT_IMAGE = re.compile(
    r"(?i)model|clip|vae|positive|negative|cond|control|text|prompt|string|seed|noise|steps|cfg|sampler|scheduler|sigmas"
    r"|guider|width|height|length|size|batch|frame_rate|fps|filename|lora|mask|audio|name|path|switch|select"
)
"""What is not followed from an image to the sampler that made it."""

# Inputs that hold a value.

MODEL_FILE: Names = (
    "ckpt_name",
    "unet_name",
    "base_ckpt_name",
    "checkpoint_name",
    "model_name",
    "checkpoint",
    "ckpt",
    "gguf_name",
    "base_ckpt",
    "diffusion_model",
    "model_path",
    "unet",
    "model",
)
FILE_NAME = re.compile(r"(?i)\.(safetensors|ckpt|gguf|sft|pth?|bin)$")
TEXT = re.compile(
    r"(?i)^(text|text_[glp]|text_positive|prompt|user_prompt|positive_prompt|clip_[lgh]|t5xxl|llama|bert|mt5xl|qwen25_7b|string|"
    r"pre_text(_[gl])?|app_text(_[gl])?)$"
)
CHANGES_TEXT = re.compile(r"(?i)style|wildcard|template|instruction|translate")
"""Inputs of an encoder that make its prompt another than the text beside them, unless they are empty."""

STEPS: Names = ("steps", "step")
CFG: Names = ("cfg", "cfg_scale")
"""Not `guidance`: that is the number that Flux is given with the text, while its cfg is 1."""
SEED: Names = ("seed", "noise_seed", "seed_value")
SAMPLER: Names = ("sampler_name", "sampler")
SCHEDULER: Names = ("scheduler", "scheduler_name")
DENOISE: Names = ("denoise", "denoise_strength")
WIDTH: Names = ("width", "empty_latent_width")
HEIGHT: Names = ("height", "empty_latent_height")
DIMENSIONS: Names = ("dimensions", "resolution")
SIZE = re.compile(r"^\D{0,20}(\d{2,5}) ?[x×*] ?(\d{2,5})\b")
"""Both in one text: `1024 x 1024  (square)`."""

# Texts

SHOWS_TEXT = re.compile(r"(?i)^(show|preview|display|note|debug)|showany|display ?any|show ?text|preview ?any")
MAKES_TEXT = re.compile(
    r"(?i)wildcard|random|upper|lower|strip|trim|translat|llm|gpt|ollama|gemini|claude|qwen|joycaption|caption|florence|blip"
    r"|wd14|tagger|interrogat|style|generat|enhanc|expand|read|load|file|regex|schedule|csv|json|date|format|slice|index|split|list"
)
"""Classes that make a text from another one when the workflow runs."""
TEXT_VALUE: Names = (
    "value",
    "text",
    "string",
    "prompt",
    "Text",
    "STRING",
    "Prompt",
    "positive",
    "multiline_text",
    "populated_text",
    "text1",
    "widget_0",
    "Value",
)
NUMBER_VALUE: Names = (
    "value",
    "Value",
    "seed",
    "noise_seed",
    "int",
    "float",
    "number",
    "Number",
    "int_",
    "Xi",
    "widget_0",
)

GIVES_TEXT: dict[str, tuple[str, int]] = {"ContextCheckpointRecommender": ("prompt", 5)}
"""Nodes of which one output, by its place, is the text of one input, and the others are not."""

PLANNED_SAMPLER = "MultiCheckpointSampler"
"""Draws one image per branch of its plan, so its model is known when it runs; without a prompt it takes the plan's."""
PLANNED_LOADER = "RecommendedCheckpointLoader"
PLANNED_LORAS = "ContextLoraRecommender"
"""Nodes that give what a plan says for each of its branches: models with their LoRAs, and LoRAs alone."""
PLAN = "plan"
STARTS = frozenset({"latent", "image"})
"""Its inputs that say the size of the images instead of its width and height."""
OWN_SETTINGS = ("settings", "each checkpoint's own, where known")
"""Its input, and the choice with which a branch may be drawn with other values than the node's."""

JOINS = re.compile(r"(?i)concat|join|combine ?(text|string)|(text|string|prompt) ?combine")
DELIMITER: Names = ("delimiter", "separator", "delim", "sep")
REPLACES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "Text Find and Replace": ("text", (("find", "replace"),)),
    "StringReplace": ("string", (("find", "replace"),)),
    "easy promptReplace": ("prompt", (("find1", "replace1"), ("find2", "replace2"), ("find3", "replace3"))),
}

# Switches

FIRST_OF = re.compile(r"(?i)^(any switch|context switch|context switch big)( \(rgthree\))?$")
"""Take the first input that is there."""
TRUE_OR_FALSE: tuple[tuple[str, str], ...] = (
    ("on_true", "on_false"),
    ("true_value", "false_value"),
    ("if_true", "if_false"),
    ("when_true", "when_false"),
    ("tt_value", "ff_value"),
    ("true", "false"),
    ("ANY_TRUE", "ANY_FALSE"),
)
CHOOSES_TRUE: Names = ("boolean", "switch", "condition", "bool", "boolean_value", "cond", "value")
CHOOSES_NUMBER: Names = ("select", "index", "Input", "selector", "input", "selected_input", "channel")

# Classes that say too little by the names of their inputs.

ZERO_OUT = re.compile(r"(?i)zero ?out|^ConditioningZero|EmptyConditioning$")

ENCODERS: dict[str, Names] = {
    "CLIPTextEncodeControlnet": ("text",),
    "CLIPTextEncodeLumina2": ("user_prompt",),
    "CLIPTextEncodeSDXL": ("text_g", "text_l"),
    "smZ CLIPTextEncode": ("text",),
    "ImpactWildcardEncode": ("populated_text",),
    "BatchPromptSchedule": ("text", "pre_text", "app_text"),
    "BatchPromptScheduleEncodeSDXL": ("text_g", "text_l", "pre_text_G", "app_text_G", "pre_text_L", "app_text_L"),
    "PromptSchedule": ("text", "pre_text", "app_text"),
    "CLIPTextEncodeBLIP-2": (),
}
"""Where the prompt is in an encoder, if not in all inputs named as in `TEXT`."""

NEGATIVE_TEXT = re.compile(r"(?i)^(negative_prompt|neg_prompt|negative_text|text_negative)$")
"""Inputs of nodes that hold both texts by other names than positive and negative."""

MERGES_MODELS = re.compile(r"(?i)merge|block ?weight|checkpoint ?blend")

CLIP_LAYER: Names = ("stop_at_clip_layer", "clip_skip", "base_clip_skip")

OUTPUTS: dict[str, Names] = {
    "KSampler (Efficient)": ("MODEL", "CONDITIONING+", "CONDITIONING-", "LATENT", "VAE", "IMAGE"),
    "KSampler Adv. (Efficient)": ("MODEL", "CONDITIONING+", "CONDITIONING-", "LATENT", "VAE", "IMAGE"),
    "Efficient Loader": ("MODEL", "CONDITIONING+", "CONDITIONING-", "LATENT", "VAE", "CLIP", "DEPENDENCIES"),
    "Context (rgthree)": ("CONTEXT", "MODEL", "CLIP", "VAE", "POSITIVE", "NEGATIVE", "LATENT", "IMAGE", "SEED"),
    "Bus Node": ("bus", "model", "clip", "vae", "positive", "negative"),
    "FromBasicPipe": ("model", "clip", "vae", "positive", "negative"),
    "FromBasicPipe_v2": ("basic_pipe", "model", "clip", "vae", "positive", "negative"),
    "easy pipeOut": ("pipe", "model", "pos", "neg", "latent", "vae", "clip", "image", "seed"),
    "easy pipeIn": ("pipe",),
    "ApplyInstantID": ("MODEL", "positive", "negative"),
    "ApplyInstantIDAdvanced": ("MODEL", "positive", "negative"),
    "ApplyPulidFlux": ("MODEL",),
}
"""Names of outputs where a prompt in API form has to be read without them, and the order is not positive, negative."""

PASSES_PIPE = re.compile(
    r"(?i)^(?!.*(sampler|detailer|loader)).*(context|pipe|\bbus\b)|^(to|from|edit|pack|unpack).*(pipe|tuple)|pipeto"
)
"""Classes that pass on several values together and are not samplers, whatever inputs they have."""

ENCODES = re.compile(r"(?i)text ?encode|encode ?text")
"""Classes whose own text counts also where they take a conditioning."""

HOLDS_TEXT = re.compile(
    r"(?i)primitive|text[ _]?(box|area|field)|multiline|string|literal|^(easy )?(positive|negative)|prompt|^text"
    r"|input[ _]?text"
)
"""Classes that hold a text beside other words (a title, a kind of view)."""

HOLDS_NUMBER = re.compile(r"(?i)seed|primitive|^int|^float|integer|number|constant|slider|literal|noise|input")

MODEL_VALUES = ("SwarmInputCheckpoint", "SwarmInputModel")

LOADS_MODEL = re.compile(r"(?i)model.*load|load.*model")
"""Classes that load a model although something is linked to them, such as settings or LoRAs."""

LORA_NAME = re.compile(r"(?i)^(lora|lora_name)(_?\d+)?$|^lora_\d+_name$")
LORA_STACK = re.compile(r"(?i)^(optional_)?lora_?stack(_?\d+)?$|^prev_lora$|^lora$")

LORA_LISTS: Names = ("loras",)
"""Inputs whose widgets hold a list of LoRAs."""
SHOWN_LORAS = "lora_count"
"""How many of its numbered LoRAs a stacker uses, where it has more than it shows."""
STRENGTH_MODE: tuple[str, Mapping[str, Names]] = ("input_mode", {"simple": ("wt",), "advanced": ("model",)})
"""The input that says which of a stacker's strengths count, and words of their names."""

OTHER_FILE = re.compile(r"(?i)vae|clip(?!_?skip)|lora|control|upscale|text_encoder|t5|embed|ipadapter|motion|yolo|sam")
"""Inputs whose files are no models that draw."""

SAVES = re.compile(r"(?i)save|preview|video ?combine|^SwarmSave|compar|image ?output")

GENERATES = re.compile(r"(?i)sampler(?!select)|detailer|sdupscale|sd upscale")

# cg-use-everywhere: nodes that give to inputs without a link, in saved workflows.

BROADCASTS = ("Anything Everywhere", "Anything Everywhere3", "Anything Everywhere?", "Prompts Everywhere")
RESTRICTED_BROADCAST = "Anything Everywhere?"
PROMPT_BROADCAST = "Prompts Everywhere"
TAKES_POSITIVE = re.compile(r"(_|\b)pos(itive|_|\b)|^prompt")
TAKES_NEGATIVE = re.compile(r"(_|\b)neg(ative|_|\b)")

# Widgets by position: for workflows of frontends that wrote no names.

_WIDGETS = {
    "BNK_CLIPTextEncodeAdvanced": "text token_normalization weight_interpretation",
    "BasicScheduler": "scheduler steps denoise",
    "BatchPromptSchedule": "text max_frames print_output pre_text app_text",
    "BatchPromptScheduleEncodeSDXL": (
        "width height crop_w crop_h target_width target_height text_g text_l max_frames print_output pre_text_G "
        "app_text_G pre_text_L app_text_L"
    ),
    "CFGGuider": "cfg",
    "CLIPSetLastLayer": "stop_at_clip_layer",
    "CLIPTextEncode": "text",
    "CLIPTextEncodeControlnet": "text",
    "CLIPTextEncodeFlux": "clip_l t5xxl guidance",
    "CLIPTextEncodeHunyuanDiT": "bert mt5xl",
    "CLIPTextEncodeLumina2": "system_prompt user_prompt",
    "CLIPTextEncodePixArtAlpha": "width height text",
    "CLIPTextEncodeSD3": "clip_l clip_g t5xxl empty_padding",
    "CLIPTextEncodeSDXL": "width height crop_w crop_h target_width target_height text_g text_l",
    "CLIPTextEncodeSDXLRefiner": "ascore width height text",
    "CR LoRA Stack": (
        "switch_1 lora_name_1 model_weight_1 clip_weight_1 switch_2 lora_name_2 model_weight_2 clip_weight_2 "
        "switch_3 lora_name_3 model_weight_3 clip_weight_3"
    ),
    "CheckpointLoader": "config_name ckpt_name",
    "CheckpointLoaderNF4": "ckpt_name",
    "CheckpointLoaderSimple": "ckpt_name",
    "CheckpointLoaderSimpleWithNoiseSelect": "ckpt_name beta_schedule",
    "CheckpointLoader|pysssss": "ckpt_name prompt",
    "DualCFGGuider": "cfg_conds cfg_cond2_negative",
    "Eff. Loader SDXL": (
        "base_ckpt_name base_clip_skip refiner_ckpt_name refiner_clip_skip positive_ascore negative_ascore "
        "vae_name positive negative token_normalization weight_interpretation empty_latent_width "
        "empty_latent_height batch_size"
    ),
    "Efficient Loader": (
        "ckpt_name vae_name clip_skip lora_name lora_model_strength lora_clip_strength positive negative "
        "token_normalization weight_interpretation empty_latent_width empty_latent_height batch_size"
    ),
    "EllaTextEncode": "text text_clip",
    "EmptyLatentImage": "width height batch_size",
    "EmptySD3LatentImage": "width height batch_size",
    "FluxGuidance": "guidance",
    "ImageOnlyCheckpointLoader": "ckpt_name",
    "ImpactWildcardEncode": "wildcard_text populated_text mode",
    "Integer": "Value",
    "KSampler": "seed control_after_generate steps cfg sampler_name scheduler denoise",
    "KSampler (Efficient)": "seed control_after_generate steps cfg sampler_name scheduler denoise",
    "KSampler Adv. (Efficient)": (
        "add_noise noise_seed control_after_generate steps cfg sampler_name scheduler start_at_step end_at_step "
        "return_with_leftover_noise"
    ),
    "KSamplerAdvanced": (
        "add_noise noise_seed control_after_generate steps cfg sampler_name scheduler start_at_step end_at_step "
        "return_with_leftover_noise"
    ),
    "KSamplerSelect": "sampler_name",
    "Lora Loader Stack (rgthree)": "lora_01 strength_01 lora_02 strength_02 lora_03 strength_03 lora_04 strength_04",
    "LoraLoader": "lora_name strength_model strength_clip",
    "LoraLoaderModelOnly": "lora_name strength_model",
    "PrimitiveFloat": "value",
    "PrimitiveInt": "value control_after_generate",
    "PrimitiveString": "value",
    "PrimitiveStringMultiline": "value",
    "RandomNoise": "noise_seed control_after_generate",
    "SDTurboScheduler": "steps denoise",
    "SamplerCustom": "add_noise noise_seed control_after_generate cfg",
    "Seed (rgthree)": "seed",
    "StringConcatenate": "string_a string_b delimiter",
    "StringReplace": "string find replace",
    "Text Concatenate": "delimiter clean_whitespace",
    "Text Find and Replace": "text find replace",
    "TextEncodeQwenImageEdit": "prompt",
    "TextEncodeQwenImageEditPlus": "prompt",
    "TripleCLIPLoader": "clip_name1 clip_name2 clip_name3",
    "UNETLoader": "unet_name weight_dtype",
    "WanVideoTextEncode": "positive_prompt negative_prompt",
    "UnetLoaderGGUF": "unet_name",
    "easy a1111Loader": (
        "ckpt_name vae_name clip_skip lora_name lora_model_strength lora_clip_strength resolution "
        "empty_latent_width empty_latent_height positive negative batch_size"
    ),
    "easy comfyLoader": (
        "ckpt_name vae_name clip_skip lora_name lora_model_strength lora_clip_strength resolution "
        "empty_latent_width empty_latent_height positive negative batch_size"
    ),
    "easy fullLoader": (
        "ckpt_name config_name vae_name clip_skip lora_name lora_model_strength lora_clip_strength resolution "
        "empty_latent_width empty_latent_height positive positive_token_normalization "
        "positive_weight_interpretation negative negative_token_normalization negative_weight_interpretation "
        "batch_size"
    ),
    "easy negative": "negative",
    "easy positive": "positive",
    "easy promptConcat": "prompt1 prompt2 separator",
    "easy promptReplace": "prompt find1 replace1 find2 replace2 find3 replace3",
    "easy seed": "seed",
    "unCLIPCheckpointLoader": "ckpt_name",
}
WIDGETS: dict[str, Names] = {node_class: tuple(names.split()) for node_class, names in _WIDGETS.items()}

FORMER_WIDGETS: dict[str, Names] = {"Text Concatenate": ("linebreak_addition",)}
"""Of earlier versions, tried where the others do not fit."""
