"""The unit and the order of letters that a question names."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rewards.math.reading.asked import orders_of_letters, unit_asked_for


@pytest.mark.parametrize(
    ("question", "unit", "power"),
    [
        ("这条线段长多少厘米？", "centimeter", 1),
        ("面积是多少平方米?", "meter", 2),
        ("需要几小时?", "hour", 1),
        ("求周长（单位：米）", "meter", 1),
        ("长____分米", "decimeter", 1),
        ("How many minutes does it take?", "minute", 1),
        ("How many more miles did he walk?", "mile", 1),
        ("Find the length in cm.", "centimeter", 1),
        ("What is the area in square feet?", "foot", 2),
        ("The volume in cm^3?", "centimeter", 3),
    ],
)
def test_the_unit_that_is_asked_for(question: str, unit: str, power: int) -> None:
    assert unit_asked_for(question) == ((unit, Fraction(power)),)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("它长多少?", "no unit"),
        ("How many apples are in the box?", "a count"),
        ("每小时走多少千米?", "a rate"),
        ("How many miles per hour?", "a rate"),
        ("How many hours is that, and how many minutes?", "two units"),
        ("几时出发?", "a time of day"),
        ("How many pounds did it cost?", "money or a mass"),
        ("How many degrees is the angle?", "degrees of an angle or of heat"),
        ("In 5 years, how old is she?", "not what is asked for"),
        ("The box is 3 m long.", "not what is asked for"),
    ],
)
def test_no_single_unit_is_asked_for(question: str, reason: str) -> None:
    assert unit_asked_for(question) is None, reason


@pytest.mark.parametrize(
    ("question", "orders"),
    [
        ("Find $w$, $d$, $a$ and $b$.", (("w", "d", "a", "b"),)),
        ("求 x，y，z 的值", (("x", "y", "z"),)),
        ("What is (h,k)?", (("h", "k"),)),
        ("A triangle has a side of 3.", ()),
        ("Find a + b.", ()),
        ("The line has y = 2x + 7. Find the slope m and the intercept b.", (("m", "b"),)),
        ("Give the radius r, the height h and the volume $V$ of it.", (("r", "h", "V"),)),
        ("求斜率 m 和截距 b。", (("m", "b"),)),
        ("A train leaves station A and station B.", ()),
        ("Find the point P. The line m is given.", ()),
        ("Find the speed v and the speed v.", ()),
    ],
)
def test_the_order_of_letters(question: str, orders: tuple[tuple[str, ...], ...]) -> None:
    assert orders_of_letters(question) == orders
