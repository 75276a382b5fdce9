"""The benchmarks that ``rlcs eval`` knows by name: where their rows are, how they are judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rlcs.cli.eval import layouts
from rlcs.cli.eval.layouts import Question
from rlcs.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """One benchmark."""

    name: str
    hub: str | None
    """Id of the data set on the Hugging Face hub; None where rows must be made first."""
    subset: str | None = None
    split: str = "test"
    columns: tuple[str, ...]
    """Columns that a row must have."""
    optional: tuple[str, ...] = ()
    """Columns that are read where a row has them."""
    questions: Callable[[Mapping[str, Any], str], Iterator[Question]]
    """A row, and the coordinate space of references, to its questions."""
    domain: str
    extraction: Mapping[str, Any] = field(default_factory=dict)
    """The settings of ``scoring.extraction``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the domain's verifier."""
    attempts: int = 1
    """Completions of a problem, k of avg@k, where the user says nothing."""
    max_tokens: int
    """Tokens of a completion, where the user says nothing."""
    prompt_tokens: int = 2048
    """Tokens of the longest prompt, where the user says nothing."""
    source: str
    """Whose rule of scoring it is, and in what ours differs."""

    @property
    def has_pictures(self) -> bool:
        """Whether its questions are about pictures."""
        return any("image" in column for column in (*self.columns, *self.optional))


BOX = {"rule": "box"}
WHOLE = {"rule": "answer"}
LETTER = {"rule": "marker", "markers": ["answer:", "answer is"]}
_IMAGES = tuple(f"image_{number}" for number in range(1, 8))

_TABLE = (
    Preset(
        name="gsm8k", hub="openai/gsm8k", subset="main", columns=("question", "answer"),
        questions=layouts.gsm8k, domain="math", extraction=BOX, max_tokens=1024,
        source="number behind ####, equal (Cobbe et al. 2021, arXiv 2110.14168)",
    ),
    Preset(
        name="math500", hub="HuggingFaceH4/MATH-500", columns=("problem", "answer", "level"),
        questions=layouts.math500, domain="math", extraction=BOX, max_tokens=4096,
        source="equivalent answers of MATH (Hendrycks et al. 2021; Lightman et al. 2023), by our "
        "own comparison",
    ),
    Preset(
        name="aime24", hub="HuggingFaceH4/aime_2024", split="train", columns=("problem", "answer"),
        questions=layouts.aime, domain="math", extraction=BOX, attempts=16, max_tokens=16384,
        source="equal whole numbers (MAA)",
    ),
    Preset(
        name="aime25", hub="math-ai/aime25", columns=("problem", "answer"),
        questions=layouts.aime, domain="math", extraction=BOX, attempts=16, max_tokens=16384,
        source="equal whole numbers (MAA)",
    ),
    Preset(
        name="gpqa", hub="Idavidrein/gpqa", subset="gpqa_diamond", split="train",
        columns=("Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2",
                 "Incorrect Answer 3", "Subdomain"),
        questions=layouts.gpqa, domain="choice", extraction=LETTER, attempts=4, max_tokens=8192,
        source="the letter (Rein et al. 2023, arXiv 2311.12022); options shuffled once",
    ),
    Preset(
        name="mmlu_pro", hub="TIGER-Lab/MMLU-Pro",
        columns=("question", "options", "answer", "category"),
        questions=layouts.mmlu_pro, domain="choice", extraction=LETTER, max_tokens=4096,
        source="the letter (Wang et al. 2024, arXiv 2406.01574); no examples in the prompt, where "
        "the paper has five, and no guess where no letter is found",
    ),
    Preset(
        name="mathvista", hub="AI4Math/MathVista", split="testmini",
        columns=("question", "decoded_image", "choices", "unit", "precision", "answer",
                 "question_type", "answer_type", "metadata"),
        questions=layouts.mathvista, domain="math", extraction=BOX, max_tokens=4096,
        prompt_tokens=8192,
        source="equal after rounding, or the option (Lu et al. 2023, arXiv 2310.02255); the box in "
        "place of a model that extracts the answer",
    ),
    Preset(
        name="mmmu_pro", hub="MMMU/MMMU_Pro", subset="standard (10 options)",
        columns=("question", "options", "answer", "subject"), optional=_IMAGES,
        questions=layouts.mmmu_pro, domain="choice", extraction=WHOLE, max_tokens=4096,
        prompt_tokens=16384,
        source="the letter (Yue et al. 2024, arXiv 2409.02813); no guess where there is none",
    ),
    Preset(
        name="mmstar", hub="Lin-Chen/MMStar", split="val",
        columns=("question", "answer", "category", "image"),
        questions=layouts.mmstar, domain="choice", extraction=WHOLE, max_tokens=4096,
        prompt_tokens=8192, source="the letter (Chen et al. 2024, arXiv 2403.20330)",
    ),
    Preset(
        name="ai2d", hub="lmms-lab/ai2d", columns=("question", "options", "answer", "image"),
        questions=layouts.ai2d, domain="choice", extraction=WHOLE, max_tokens=4096,
        prompt_tokens=8192, source="the option (Kembhavi et al. 2016, arXiv 1603.07396)",
    ),
    Preset(
        name="muirbench", hub="MUIRBENCH/MUIRBENCH",
        columns=("question", "options", "answer", "task", "image_list"),
        questions=layouts.muirbench, domain="choice", extraction=WHOLE, max_tokens=4096,
        prompt_tokens=32768, source="the letter (Wang et al. 2024, arXiv 2406.09411)",
    ),
    Preset(
        name="chartqa", hub="lmms-lab/ChartQA", columns=("question", "answer", "type", "image"),
        questions=layouts.chartqa, domain="charts", extraction=WHOLE, max_tokens=2048,
        prompt_tokens=8192,
        source="relaxed accuracy, 5 % (Masry et al. 2022, arXiv 2203.10244); years exactly",
    ),
    Preset(
        name="charxiv", hub="princeton-nlp/CharXiv", split="validation",
        columns=("reasoning_q", "reasoning_a", "category", "image"),
        questions=layouts.charxiv, domain="vqa", extraction=BOX, max_tokens=4096,
        prompt_tokens=8192,
        source="the reasoning questions (Wang et al. 2024, arXiv 2406.18521); equal after folding, "
        "and the rest by a judge if one is configured, where the paper has GPT-4o judge all",
    ),
    Preset(
        name="screenspot", hub="rootsautomation/ScreenSpot",
        columns=("instruction", "bbox", "data_type", "data_source", "image"),
        questions=layouts.screenspot, domain="gui", extraction=WHOLE, max_tokens=1024,
        prompt_tokens=16384, source="the point in the box (Cheng et al. 2024, arXiv 2401.10935)",
    ),
    Preset(
        name="screenspot_pro", hub="likaixin/ScreenSpot-Pro",
        columns=("instruction", "bbox", "img_size", "img_filename", "group", "ui_type"),
        optional=("image",), questions=layouts.screenspot_pro, domain="gui", extraction=WHOLE,
        max_tokens=1024, prompt_tokens=32768,
        source="the point in the box (Li et al. 2025, arXiv 2504.07981)",
    ),
    Preset(
        name="refcoco", hub="lmms-lab/RefCOCO", split="val", columns=("answer", "bbox", "image"),
        questions=layouts.refcoco, domain="grounding", extraction=WHOLE, max_tokens=1024,
        prompt_tokens=8192,
        source="IoU of at least 0.5 (Yu et al. 2016, arXiv 1608.00272), an expression a question",
    ),
    Preset(
        name="androidcontrol", hub=None, columns=("goal", "action", "image"),
        optional=("bbox", "step_instruction"), questions=layouts.androidcontrol, domain="gui",
        extraction=WHOLE, settings={"dialect": "android_control"}, max_tokens=1024,
        prompt_tokens=16384,
        source="a step's action and argument, a click in the element's box (Li et al. 2024, arXiv "
        "2406.03679)",
    ),
)  # fmt: skip

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _TABLE}


def preset(name: str) -> Preset:
    """The benchmark called ``name``.

    Raises:
        ConfigError: there is none; the message names those there are.
    """
    if name not in PRESETS:
        import difflib

        near = difflib.get_close_matches(name, PRESETS, n=1)
        advice = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"--benchmark: expected benchmarks by name, found {name!r}.{advice} Known are "
            f"{', '.join(PRESETS)}."
        )
    return PRESETS[name]
