"""Letters that may be units, as the reference takes them."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "letters side by side are factors where the reference has them as letters": [
        ("ax-ay", ["a(x-y)", "a x - a y", "-a(y-x)"], ["a(x+y)", "a(y-x)", "ax-y"]),
        (
            "ab(x-y)^2(ax-ay-b)",
            ["ab(x-y)^2(a(x-y)-b)", "ba(y-x)^2(ax-ay-b)"],
            ["ab(x-y)^2(a(x-y)+b)", "ab(x-y)(ax-ay-b)"],
        ),
        ("abx(x-y)", ["abx^2-abxy", "abxx-abxy"], ["abx^2-aby"]),
        ("cd(a+b)", ["acd+bcd", "dc(b+a)"], ["cd(a-b)", "a+b"]),
        ("m+cm+cd", ["m(1+c)+cd", "m + c m + c d"], ["m+cd", "m+c+cd"]),
    ],
    "letters that are units too are variables in a product": [
        ("cd", ["dc", "c d", "c\\cdot d"], ["c+d", "c", "cd^2"]),
        ("2cd", ["2dc", "2 c d"], ["2c", "2"]),
        ("mgh", ["m g h", "hgm"], ["mg", "m"]),
        ("m g h", ["mgh", "h m g"], ["m g"]),
        ("\\pi r^2 h", ["\\pi h r^2"], ["\\pi r^2"]),
        ("h(a+b)/2", ["\\frac12 h(a+b)", "\\frac{ah+bh}{2}"], ["h(a-b)/2"]),
    ],
    "a space does not make a variable a unit": [
        (
            "\\frac{3 m}{2}-1",
            ["\\frac{3m-2}{2}", "1.5m-1"],
            ["\\frac{3}{2}-1", "\\frac{3m-1}{2}", "1/2"],
        ),
        ("3 t/2 - 1", ["(3t-2)/2", "1.5 t - 1"], ["(3t-1)/2", "1/2"]),
        ("2 h + 1", ["1+2 h", "2h+1"], ["3", "3 h", "2 h"]),
        ("1 - 2 s", ["1-2s"], ["-1", "-1 s"]),
        ("3 m^2 - 2 m", ["m(3m-2)"], ["1 m", "3 m^2"]),
        ("\\frac{2 m}{n}", ["2m/n"], ["2/n"]),
        ("100 - 5 t", ["100-5t", "-5t+100"], ["95 t", "95"]),
        ("\\sqrt{2 g h}", ["\\sqrt{2gh}"], ["\\sqrt{2g}"]),
        ("\\frac{3 L}{2}", ["1.5 L", "3L/2"], ["1.5 kg", "2 L"]),
        ("s = v t + \\frac{1}{2} a t^2", ["vt+\\frac12at^2"], ["vt+at^2"]),
    ],
    "a number with one unit stays a quantity": [
        ("5 m", ["500 cm", "5", "5m", "0.005 km"], ["5 kg", "50 cm", "6 m", "5 m^2"]),
        ("2 g", ["2g", "2 grams", "0.002 kg"], ["2 m", "3 g"]),
        ("\\frac{5}{2} m", ["2.5 m", "250 cm", "5/2"], ["25 cm"]),
        ("2 N m", ["2", "2 \\text{ N m}"], ["2 N"]),
        ("9.8 m/s^2", ["9.8", "980 cm/s^2"], ["9.8 m/s", "9.8 m"]),
        ("t = 5 s", ["5", "5 s", "t=5", "5 seconds"], ["5 m", "6"]),
        ("x=5", ["5 m", "5"], ["6 m"]),
        ("3 \\times 10^{-3} m", ["3 mm", "0.003"], ["3 m"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
