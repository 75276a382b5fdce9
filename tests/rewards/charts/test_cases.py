"""Chart verdicts, in tables: each says why its answers pass or fail."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import Outcome, Request, VerifierPool, verify

# reason → (reference, question, answers that pass, answers that fail)
CASES: dict[str, list[tuple[Any, str | None, list[str], list[str]]]] = {
    "five percent, inclusive, in exact arithmetic": [
        ("2", None, ["2.1", "1.9", "2.0"], ["2.11", "1.89", "-2"]),
        ("100", None, ["105", "95", "about 100"], ["105.1", "94.9"]),
        ("0", None, ["0", "0.0", "0%"], ["0.01", "-0.1"]),
        ("-3.2", None, ["-3.2", "−3.1", "(3.2)"], ["3.2"]),
    ],
    "years, dates and counts are exact, told by reference or question": [
        ("2010", "In which year did sales peak?", ["2010", "2010年"], ["2011", "2009"]),
        ({"value": "2010", "kind": "year"}, None, ["2010"], ["2011"]),
        ("2010", "What is the value?", ["2010", "2050"], ["2200"]),
        ("20", "How many bars are there?", ["20", "twenty"], ["21", "19"]),
        ("20", "How many people live there?", ["20", "21"], ["22"]),
        ({"value": 20, "kind": "count"}, None, ["20"], ["21"]),
        ("March 2010", None, ["Mar 2010", "2010-03", "03/2010", "2010年3月"], ["April 2010"]),
        ("March", None, ["Mar", "3月", "三月", "mar."], ["May", "4月"]),
        ("Q1 2010", None, ["2010 Q1", "first quarter of 2010", "2010年第一季度"], ["Q2 2010"]),
        ("March 5, 2010", None, ["5 March 2010", "2010-03-05", "Mar 5th, 2010"], ["March 6, 2010"]),
    ],
    "percent, thousands, scales and currency on both sides": [
        ("45%", None, ["45", "45 percent", "0.45", "百分之四十五", "四十五%"], ["4.5", "55%"]),
        ("0.45", None, ["45%"], ["45"]),
        ("1,234,000", None, ["1234000", "1.234 million", "1.23M", "123.4万"], ["1234", "1.234"]),
        ("$3.2 billion", None, ["3.2B", "$3,200,000,000", "32亿"], ["3.2 million", "€3.2 billion"]),
        ("5", "Revenue in millions?", ["5 million", "5", "5M"], ["5 billion"]),
        ("12 kg", None, ["12", "12kg"], ["12 %", "12 cm"]),
        ("3.5", None, ["3,5", "three and a half"][:1], ["35"]),
    ],
    "short forms of quarters, months and weekdays": [
        ("Q4'19", None, ["Q4 2019", "4Q19", "fourth quarter of 2019"], ["Q4 2018", "Q3'19"]),
        ("Jan '20", None, ["January 2020", "2020-01"], ["January 2019"]),
        ("Monday", None, ["Mon", "mon.", "星期一"], ["Tue", "Sunday"]),
    ],
    "mixed numbers, multiples and numerals with places": [
        ("1万2千", None, ["12000", "1.2万"], ["12", "2万1千"]),
        ("2.5 million", None, ["two and a half million"], ["two and a half billion"]),
        ("3.5", None, ["three point five", "3 1/2"], ["three point nine", "3 1/5"]),
        ("3 times", None, ["3", "3.1 times"], ["4 times", "3 times 4"]),
    ],
    "a label with a comma is one label": [
        ("Washington, D.C.", None, ["Washington DC", "washington, d.c."], ["Washington"]),
    ],
    "a list of numbers keeps its decimal points": [
        ("1.5, 2.5", None, ["1.5, 2.5", "2.5 and 1.5", "1.52, 2.5"], ["15, 25", "1.5 25"]),
        ("Version 1.5", None, ["version 1.5"], ["Version 15"]),
        ("-5 to 5", None, ["−5 - 5"], ["5 to 5"]),
        ("Route 66, Ohio", None, ["route 66, ohio", "Ohio, Route 66"], ["Route 67, Ohio"]),
    ],
    "an approximate count or year is a hedge": [
        ("20", "How many bars are there?", ["20"], ["about 20"]),
        ("2010", "In which year did it peak?", ["in 2010"], ["around 2010"]),
    ],
    "number words are numbers": [
        ("7", None, ["seven", "Seven", "七"], ["eight"]),
        ("21", None, ["twenty-one", "二十一"], ["thirty"]),
        ("two", None, ["2", "两"], ["3"]),
    ],
    "ranges, bounds and hedges are wrong": [
        (
            "10",
            None,
            ["10"],
            [
                *("10-12", "between 9 and 11", "9 to 11", "10 or 12", "more than 10", ">10"),
                *("at least 10", "10±1", "not 10", "10 and 12", "8~12", "10 20", "1e999999"),
                "10, 12",
            ],
        )
    ],
    "yes and no with their synonyms": [
        ("Yes", None, ["yes", "true", "是", "YES."], ["no", "false", "not yes", "yes and no"]),
        ("No", None, ["no", "否", "nope", "No, it isn't"], ["yes", "No, it is", "no and yes"]),
        ("Yes", None, ["Yes, it is", "yes, they do"], ["Yes, it is not", "Yes, it isn't"]),
        (True, None, ["yes"], ["no"]),
    ],
    "labels fold case, spacing, punctuation and accents": [
        ("Côte d'Ivoire", None, ["cote divoire", "Cote d’Ivoire"], ["Ivory Coast"]),
        ("18-24", None, ["18–24", "18 - 24"], ["1824", "18-25", "21"]),
        ("Germany", None, ["germany", " Germany. ", "The answer is Germany"], ["Germ", "German"]),
        ("65+", None, ["65+"], ["65"]),
    ],
    "lists in any order, unless the question orders them": [
        (["Red", "Blue"], None, ["Blue, Red", "red and blue", "[\"Blue\", \"Red\"]"], ["Red"]),
        ("Red, Blue", None, ["Blue, Red"], ["Red", "Red, Green", "Red, Blue, Green", "Red, Red"]),
        ([10, 20], None, ["20, 10", "[10, 20.5]"], ["10, 30", "10"]),
        ([10, 20], "What are A and B respectively?", ["10, 20"], ["20, 10"]),
    ],
    "options": [
        ("B", "Which? A. Rome B. Oslo", ["B", "Oslo", "(B)"], ["A", "Rome"]),
        ("Oslo", "Which? A. Rome B. Oslo", ["B", "Oslo"], ["A"]),
    ],
}  # fmt: skip

TABLE = "Year | Sales\n2010 | 5\n2011 | 10"


def judge(reference: Any, answer: str, question: str | None = None) -> float:
    request = Request(
        domain="charts", response=answer, reference=reference, question=question, bare=True
    )
    verdict = verify(request)
    assert not verdict.ours_failed, verdict
    return verdict.score


@pytest.mark.parametrize(
    ("reason", "reference", "question", "answer", "passes"),
    [
        (reason, reference, question, answer, passes)
        for reason, rows in CASES.items()
        for reference, question, right, wrong in rows
        for passes, answers in ((True, right), (False, wrong))
        for answer in answers
    ],
)
def test_case(reason: str, reference: Any, question: str | None, answer: str, passes: bool) -> None:
    assert (judge(reference, answer, question) == 1.0) == passes, reason


def test_tables_are_scored_by_relative_mapping_similarity() -> None:
    assert judge(TABLE, "| Year | Sales |\n|---|---|\n| 2011 | 10 |\n| 2010 | 5 |") == 1.0
    assert judge(TABLE, " | 2010 | 2011\nSales | 5 | 10") == pytest.approx(1.0, abs=1e-9)
    assert judge(TABLE, "Year | Sales\n2010 | 5\n2011 | 8") == pytest.approx(0.9)
    assert judge(TABLE, "Year | Sales\n2010 | 5") == pytest.approx(2 / 3)
    assert judge(TABLE, "Year | Sales\n2010 | 50\n2011 | 100") == 0.0


def test_a_tighter_tolerance_by_setting() -> None:
    with VerifierPool(settings={"charts": {"tolerance": 0.025}}) as pool:
        requests = [
            Request(domain="charts", response=a, reference="100", bare=True) for a in ("102", "103")
        ]
        assert [v.score for v in pool.judge(requests)] == [1.0, 0.0]


@pytest.mark.parametrize(
    "reference", ["", None, [], {"kind": "nonsense", "value": 1}, float("nan")]
)
def test_bad_references_are_named(reference: Any) -> None:
    request = Request(domain="charts", response="1", reference=reference, bare=True)
    assert verify(request).outcome is Outcome.BAD_REFERENCE
