"""Made-up rows in the layout of each benchmark, with a right and a wrong response to each."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import PIL.Image


def picture(width: int = 200, height: int = 100) -> dict[str, Any]:
    """A cell with a picture, as ``datasets`` writes it into Parquet."""
    written = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "white").save(written, "PNG")
    return {"bytes": written.getvalue(), "path": None}


@dataclass(frozen=True)
class Sample:
    """A row, and what a model could say to its first question."""

    row: dict[str, Any]
    right: str
    wrong: str


def boxed(answer: str) -> str:
    return f"I work it out.\nSo it is $\\boxed{{{answer}}}$."


CLICK = "<think>The cross is at the top right.</think><answer>{}</answer>"

SAMPLES: dict[str, Sample] = {
    "gsm8k": Sample(
        {"question": "3 bags of 1,000?", "answer": "3 * 1000 = <<3*1000=3000>>3,000\n#### 3,000"},
        boxed("3000"),
        boxed("300"),
    ),
    "math500": Sample(
        {"problem": "Simplify $\\sqrt{8}$.", "solution": "...", "answer": "2\\sqrt{2}",
         "subject": "Algebra", "level": 2, "unique_id": "test/algebra/1.json"},
        boxed("2\\sqrt2"),
        boxed("2.8"),
    ),
    "aime24": Sample(
        {"id": 60, "problem": "Find n.", "solution": "...", "answer": "033", "url": "", "year": ""},
        boxed("33"),
        boxed("330"),
    ),
    "aime25": Sample(
        {"id": "0", "problem": "Find n.", "answer": "70"}, boxed("70"), "The answer is 70."
    ),
    "gpqa": Sample(
        {"Question": "Which is a noble gas?", "Correct Answer": "argon",
         "Incorrect Answer 1": "iron", "Incorrect Answer 2": "oxygen",
         "Incorrect Answer 3": "gold", "Subdomain": "Chemistry (general)", "Record ID": "rec1"},
        "It is inert.\n\nAnswer: argon",
        "Answer: gold",
    ),
    "mmlu_pro": Sample(
        {"question_id": 1, "question": "Which?", "options": [f"option {n}" for n in range(10)],
         "answer": "J", "answer_index": 9, "cot_content": "", "category": "law", "src": "x"},
        "Let me think. The answer is (J).",
        "Answer: I",
    ),
    "mathvista": Sample(
        {"pid": "1", "question": "How long is it?", "image": "images/1.jpg",
         "decoded_image": picture(), "choices": None, "unit": "cm", "precision": 1.0,
         "answer": "1.2", "question_type": "free_form", "answer_type": "float",
         "metadata": {"category": "math-targeted-vqa", "task": "geometry problem solving"},
         "query": "..."},
        boxed("1.2"),
        boxed("1.3"),
    ),
    "mmmu_pro": Sample(
        {"id": "test_Art_1", "question": "Compare <image 1> and <image 2>.",
         "options": "['the first', \"the second's\", 'both']", "answer": "B", "subject": "Art",
         "image_1": picture(), "image_2": picture(60, 60), "image_3": None},
        "B",
        "A",
    ),
    "mmstar": Sample(
        {"index": 0, "question": "Which colour?\nOptions: A: red, B: blue, C: green, D: black",
         "image": picture(), "answer": "A", "category": "coarse perception",
         "l2_category": "image style", "meta_info": {"source": "MMBench"}},
        "A",
        "B",
    ),
    "ai2d": Sample(
        {"question": "Which eats grass?", "options": ["the fox", "the hare"], "answer": "1",
         "image": picture()},
        "<answer>B. the hare</answer>",
        "A",
    ),
    "muirbench": Sample(
        {"idx": 0, "task": "Counting", "image_relation": "Ordered", "image_type": "Photo",
         "question": "Which is like <image>?", "options": ["<image>", "<image>"], "answer": "B",
         "image_list": [picture(), picture(50), picture(60)], "counterpart_idx": 1},
        "B",
        "A",
    ),
    "chartqa": Sample(
        {"type": "human_test", "question": "What is the value in 2010?", "answer": "100",
         "image": picture()},
        "104",
        "106",
    ),
    "charxiv": Sample(
        {"category": "cs", "figure_path": "x.jpg", "reasoning_q": "Which line is on top?",
         "reasoning_a": "Ours", "reasoning_a_type": 1, "image": picture()},
        boxed("ours"),
        boxed("theirs"),
    ),
    "screenspot": Sample(
        {"file_name": "a.png", "bbox": [0.9, 0.0, 1.0, 0.1], "instruction": "close this window",
         "data_type": "icon", "data_source": "windows", "image": picture()},
        CLICK.format("(950, 50)"),
        CLICK.format("(500, 50)"),
    ),
    "screenspot_pro": Sample(
        {"img_filename": "a.png", "bbox": [380, 0, 400, 10], "instruction": "close", "id": "x_1",
         "application": "word", "platform": "windows", "img_size": [400, 100], "ui_type": "icon",
         "group": "Office", "image": picture(400)},
        "(975, 50)",
        "(390, 5)",
    ),
    "refcoco": Sample(
        {"question_id": "1", "image": picture(), "question": "Please describe it.",
         "answer": ["the dog", "left one"], "segmentation": [1.0], "bbox": [20, 10, 100, 50],
         "iscrowd": 0, "file_name": "x.jpg"},
        "[[100, 100, 600, 600]]",
        "[[600, 100, 900, 600]]",
    ),
    "androidcontrol": Sample(
        {"episode_id": 1, "goal": "Open the settings.", "step_instruction": "Tap the gear.",
         "image": picture(), "action": '{"action_type": "click", "x": 150, "y": 20}',
         "bbox": [140, 10, 160, 30]},
        '{"action_type": "click", "x": 145, "y": 25}',
        '{"action_type": "click", "x": 45, "y": 25}',
    ),
}  # fmt: skip
