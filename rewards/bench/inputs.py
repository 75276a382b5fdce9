"""What the benches judge: ordinary answers of each domain, and hostile ones."""

from __future__ import annotations

import json
import random
from typing import Any

from rewards.verdict import Request

ORDINARY_MATH = [
    ("5", "5"), ("-12", "-12"), ("1/2", "0.5"), ("\\frac{3}{4}", "3/4"), ("72", "73"),
    ("2\\sqrt{3}", "\\sqrt{12}"), ("\\pi", "3.14159"), ("1,234", "1234"), ("50\\%", "0.5"),
    ("(1,2)", "(1, 2)"), ("x^2+2x+1", "(x+1)^2"), ("\\{1,2,3\\}", "3,2,1"), ("3:4", "6:8"),
    ("[1,\\infty)", "x \\ge 1"), ("12 \\text{ cm}", "12"), ("\\frac{\\sqrt{2}}{2}", "1/\\sqrt2"),
    ("x=5", "5"), ("1\\frac{1}{2}", "3/2"), ("2^{10}", "1024"), ("\\text{Monday}", "Monday"),
    ("18", "$18"), ("0.333", "1/3"), ("e^{2}", "e^2"), ("y=2x+1", "2x-y+1=0"), ("7", "8"),
]  # fmt: skip


def ordinary(domain: str, count: int, seed: int = 0) -> list[Request]:
    """``count`` ordinary requests, none of which repeats a reference object exactly."""
    generator = random.Random(seed)
    return [_ordinary(domain, generator, index) for index in range(count)]


def _ordinary(domain: str, generator: random.Random, index: int) -> Request:
    if domain == "math":
        reference, answer = ORDINARY_MATH[index % len(ORDINARY_MATH)]
        if reference.lstrip("-").isdigit():
            reference = str(generator.randint(-9999, 9999))
            answer = reference if generator.random() < 0.5 else str(int(reference) + 1)
        return _boxed(domain, answer, reference)
    if domain == "charts":
        value = generator.randint(1, 10**6) / 10
        return _boxed(domain, f"{value * generator.uniform(0.9, 1.1):.1f}%", str(value))
    x, y = generator.randint(0, 800), generator.randint(0, 800)
    box = [x, y, x + 100, y + 100]
    if domain == "gui":
        answer = json.dumps({"action": "click", "point": [x + generator.randint(0, 120), y + 5]})
        return _boxed(domain, answer, {"coord": "norm999", "action": "click", "bbox": box})
    shifted = [x + 10, y + 10, x + 110, y + 110]
    target = {"coord": "norm999", "mode": "single", "boxes": [box]}
    return _boxed(domain, json.dumps([shifted]), target)


def _boxed(domain: str, answer: str, reference: Any) -> Request:
    response = (
        "<think>Some thoughts.</think><answer>So it is "
        f"<|begin_of_box|>{answer}<|end_of_box|>.</answer>"
    )
    return Request(domain=domain, response=response, reference=reference)


def hostile(count: int, seed: int = 0) -> list[Request]:
    """Nested powers, factorials, a megabyte of digits, brackets, box spam, code."""
    generator = random.Random(seed)
    shapes = [
        "9^" * 400 + "9",
        "9^{9^{9^{9^9}}}",
        "((((9!)!)!)!)!",
        "(" * 100_000 + "7" + ")" * 100_000,
        "7" * 1_000_000,
        "\\frac{" * 900,
        "\\sqrt{" * 60 + "2" + "}" * 60,
        "\\sum_{k=1}^{10^9} \\frac{1}{k^k}",
        "\\int_0^{10} \\sin(x^{x^x}) dx",
        "\\prod_{k=1}^{2000} \\sum_{j=1}^{2000} k",
        "1" + "+1" * 1_900,
        "__import__('os').system('true')",
        "lambda: [0] * 10**12",
        "三" * 4_000,
        "\\boxed{" * 50_000,
        "e^{e^{e^{e^{e}}}}",
        "\\binom{10^9}{5\\cdot 10^8}",
        "|" * 3_000,
    ]
    boxes = json.dumps([[1, 1, 2, 2]] * 20_000)
    grounding = {"coord": "norm999", "mode": "multi", "boxes": [[0, 0, 9, 9]]}
    found = []
    for index in range(count):
        if index % 10 == 9:
            found.append(_boxed("grounding", boxes, grounding))
            continue
        answer = shapes[index % len(shapes)]
        reference = generator.choice(["7", "2\\sqrt{2}", "x^2+1", "\\{1,2\\}", "x>3", "5 m"])
        found.append(_boxed("math", answer, reference))
    return found
