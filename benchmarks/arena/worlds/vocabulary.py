"""Words that simulated people use: styles with several words each, subjects, places, boosters.

Separate so that no world invents its own English, and so that one list can be checked against the other: a
style's words stand in no other style and in no subject.
"""

from __future__ import annotations

from collections.abc import Mapping

STYLE_WORDS: Mapping[str, tuple[str, ...]] = {
    "photo": (
        "photorealistic",
        "85mm lens",
        "window light",
        "shallow depth of field",
        "film grain",
        "raw photo",
        "skin texture",
    ),
    "anime": (
        "anime style",
        "cel shading",
        "clean lineart",
        "big eyes",
        "vivid colors",
        "screentone",
        "key visual",
    ),
    "watercolor": (
        "watercolor painting",
        "soft paper texture",
        "loose brush strokes",
        "wet on wet",
        "pastel palette",
        "ink outline",
        "bleeding pigment",
    ),
    "pixel": (
        "pixel art",
        "16-bit palette",
        "game sprite",
        "isometric tile",
        "dithering",
        "retro console",
        "limited colours",
    ),
    "baroque": (
        "oil painting",
        "dramatic chiaroscuro",
        "dark fantasy",
        "baroque composition",
        "heavy impasto",
        "old master",
        "gilded frame",
    ),
    "vector": (
        "minimalist poster",
        "flat vector",
        "bold geometry",
        "negative space",
        "screen print",
        "two tone",
        "swiss design",
    ),
    "render": (
        "3d render",
        "claymation",
        "studio softbox",
        "octane",
        "subsurface scattering",
        "toy figure",
        "raytraced",
    ),
    "comic": (
        "comic book panel",
        "halftone dots",
        "thick ink",
        "speech bubble",
        "action lines",
        "graphic novel",
        "pop art",
    ),
    "sketch": (
        "pencil sketch",
        "cross hatching",
        "charcoal smudge",
        "graphite",
        "unfinished edges",
        "figure study",
        "sketchbook page",
    ),
    "neon": (
        "cyberpunk",
        "neon glow",
        "holographic",
        "chrome surface",
        "night city",
        "synthwave",
        "volumetric fog",
    ),
    "storybook": (
        "storybook illustration",
        "gouache",
        "whimsical",
        "rounded shapes",
        "naive art",
        "picture book",
        "warm tones",
    ),
    "nouveau": (
        "art nouveau",
        "ornamental border",
        "stained glass",
        "flowing curves",
        "mucha",
        "lithograph",
        "gold leaf",
    ),
}

SUBJECTS: tuple[str, ...] = (
    "a fox", "an old sailor", "two dancers", "a robot gardener", "a witch with ravens", "a red bicycle",
    "a lighthouse", "a sleeping cat", "a knight", "a violinist", "a dragon", "a paper boat",
    "a young woman", "a beekeeper", "a night train", "an astronaut", "a bowl of ramen", "a wolf",
    "a tea house", "a boxer", "an owl", "a blacksmith", "a ballet dancer", "a hot air balloon",
    "an elephant", "a grandfather", "a jazz band", "a mermaid", "a steam engine", "a chess player",
    "a shepherd", "a queen", "a hummingbird", "a pirate", "a locksmith", "twin sisters", "a snowman",
    "a falcon", "a fisherman", "a baker", "a unicorn", "a clockmaker", "a whale", "a cactus",
    "a street musician", "a monk", "a surfer", "a golem", "a hedgehog", "a tightrope walker",
)  # fmt: skip

PLACES: tuple[str, ...] = (
    "in a forest", "on a rooftop", "by the sea", "in a kitchen", "under a bridge", "at a market",
    "in the desert", "in heavy rain", "at dawn", "in a library", "on a mountain", "in the snow",
    "in a greenhouse", "at a harbour", "in a cave", "on a stage", "in an attic", "under the stars",
    "in a meadow", "inside a train",
)  # fmt: skip

BOOSTERS = "masterpiece, best quality, (highly detailed:1.2)"
