"""Math verdicts, in tables: each says why its answers pass or fail."""

from __future__ import annotations

import pytest

from rewards import Outcome, Request, verify

# reason → (reference, answers that pass, answers that fail)
CASES: dict[str, list[tuple[str, list[str], list[str]]]] = {
    "one value, many notations": [
        ("1/2", ["0.5", "\\frac12", "$\\dfrac{1}{2}$", "½", "2/4", "50\\%", "1:2"], ["0.05", "2"]),
        ("5", ["５", "+5", "5.0", "5.", "(5)", "[5]", "\\boxed{5}", "**5**", "five"], ["-5", "6"]),
        ("-5", ["−5", "负五", "\\text{-5}", "-\\frac{10}{2}"], ["5"]),
        ("3/2", ["1\\frac{1}{2}", "1 1/2", "1½", "1\\frac12"], ["11/2", "1/2"]),
        ("1/3", ["0.\\overline{3}", "0.(3)", "0.\\dot{3}", "0.333..."], ["0.3", "0.33"]),
        ("1/7", ["0.142857142857...", "0.\\overline{142857}"], ["0.142"]),
        ("1500", ["1.5\\times10^3", "1.5e3", "1.5E+03", "1,500", "1 500"], ["15,00", "1.5"]),
        ("1234567", ["1,234,567", "1{,}234{,}567"], ["12,34,567", "1234568"]),
        ("1234", ["1,234", "1 234"], ["1,2,3,4", "1.234", "12,34"]),
        ("1.5", ["1,5", "1{,}5"], ["15"]),
        ("1,22", ["1.22"], ["122"]),
        ("1234.5", ["1.234,5", "1,234.5"], []),
        ("5", ["101_2", "0b101", "(101)_2"], ["102_2"]),
        ("1A_{16}", ["0x1A", "26"], ["1A_{12}"]),
        ("\\sqrt{2}", ["2^{0.5}", "√2", "\\frac{2}{\\sqrt 2}"], ["1.41", "2"]),
        ("\\infty", ["infinity", "+\\infty", "∞"], ["-\\infty", "8"]),
        ("100!", ["100!", "100\\cdot 99!"], ["99!"]),
    ],
    "exact references want exact answers, six digits earn a tolerance": [
        ("2\\sqrt{2}", ["\\sqrt8", "2.828427"], ["2.83", "2.828"]),
        ("\\pi", ["3.14159", "π"], ["3.14", "3.1416", "22/7"]),
        ("1/2^{99}", ["2^{-99}"], ["1/2^{98}"]),
        ("1-1/e", ["\\frac{e-1}{e}"], ["1+1/e"]),
        ("2^{100}", ["1267650600228229401496703205376"], ["1267650600228229401496703205377"]),
        ("2.83", ["2.830"], ["2.828", "2\\sqrt2"]),
        ("\\approx 2.83", ["2.828", "2\\sqrt2"], ["2.8", "2.84"]),
    ],
    "integrals: an antiderivative with its constant, however it is written": [
        ("\\int x\\,dx", ["\\frac{x^2}{2}+C", "\\int x\\,dx = \\frac{x^2+1}{2}+C"], ["x^2/3+C"]),
        ("\\int 2x dx", ["x^2+K"], ["x^2", "x^2+2x+C"]),
        ("\\int \\frac{dx}{1+x^2}", ["\\arctan x+C", "C-\\operatorname{arccot} x"], ["\\tan x+C"]),
        ("\\int \\frac{1}{x}\\,dx", ["\\ln|x|+C", "\\ln|3x|+C"], ["-x^{-2}+C"]),
        ("\\frac{x^2}{2}+C", ["\\int x\\,dx=\\frac{x^2}{2}+C"], ["\\int x\\,dx", "x^2/2"]),
        ("y=C_1e^x+C_2e^{-x}", ["y=Ae^x+Be^{-x}", "y=C_1e^{-x}+C_2e^x"], ["y=C_1e^x"]),
        ("y=Ce^{2x}", ["y=Ke^{2x}"], ["y=Ce^{-2x}", "y=Cxe^{2x}"]),
        ("A+2B", ["2B+A"], ["B+2A"]),
    ],
    "general solutions: the parameter's name is free, declared or not": [
        (
            "\\frac{\\pi}{4}+k\\pi",
            ["\\frac{\\pi}{4}+n\\pi", "\\frac{5\\pi}{4}+m\\pi"],
            ["\\pi/4+2n\\pi"],
        ),
        ("45^\\circ+180^\\circ k", ["45^\\circ+180^\\circ n"], ["45^\\circ+90^\\circ n"]),
        ("(n-2)\\pi", ["n\\pi-2\\pi"], ["n\\pi", "(n-1)\\pi"]),
        ("\\{x|x=k\\pi,k\\in Z\\}", ["x=n\\pi, n\\in\\mathbb{Z}"], ["x=2n\\pi,n\\in Z"]),
        (
            "[k\\pi-\\frac{\\pi}{3},k\\pi+\\frac{\\pi}{6}],k\\in\\mathbb{Z}",
            ["n\\pi-\\frac{\\pi}{3}\\le x\\le n\\pi+\\frac{\\pi}{6}, n\\in Z"],
            ["(n\\pi-\\frac{\\pi}{3},n\\pi+\\frac{\\pi}{6}), n\\in Z", "[0,\\frac{\\pi}{6}]"],
        ),
    ],
    "notations of counting, matrices, logarithms and unions": [
        ("{10 \\choose 3}", ["120", "C_{10}^{3}", "\\binom{10}{7}"], ["C_3^{10}", "A_{10}^3"]),
        ("20", ["A_5^2", "5\\cdot4"], ["C_5^2"]),
        ("\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}", ["-2"], ["2", "10"]),
        (
            "\\begin{pmatrix}2&4\\\\6&8\\end{pmatrix}",
            ["2\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"],
            ["3\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"],
        ),
        ("\\log 100", ["2", "\\ln 100"], ["3"]),
        ("(1,2]\\cup[3,4)", ["[3,4) U (1,2]"], ["(1,2) U [3,4)"]),
        ("\\{1,2,\\ldots,5\\}", ["\\{1,2,3,4,5\\}", "1, 2, ..., 5"], ["\\{1,2,\\ldots,6\\}"]),
        ("\\frac{\\sqrt3}{2}", ["\\sin(60^\\circ)", "\\cos{30^\\circ}"], ["\\sin(60)"]),
    ],
    "letters under roots and logarithms of products are positive": [
        ("\\ln(xy)", ["\\ln x+\\ln y"], ["\\ln x\\ln y"]),
        ("\\sqrt{ab}", ["\\sqrt a\\sqrt b"], ["\\sqrt a+\\sqrt b"]),
        ("\\sqrt{x^2}", ["|x|"], ["x"]),
        ("\\ln|x|+C", ["C+\\ln|2x|"], ["\\ln x+C"]),
    ],
    "letters, digits and signs that stand apart": [
        ("17", ["17"], ["1 7"]),
        ("k", ["k"], ["K"]),
        ("v_0t-\\frac12gt^2", ["v_0 t - 0.5 g t^2"], ["v_0 t - 0.5 g t"]),
        ("e^{x+y}", ["e^xe^y"], ["e^xe^{2y}"]),
        ("15", ["5!!"], ["(5!)!", "5!!!"]),
        ("(0,\\infty)", ["\\mathbb{R}^+", "\\mathbb{R}^{+}"], ["\\mathbb{R}^-", "\\mathbb{R}"]),
    ],
    "labels, texts and statements": [
        ("f^{-1}(x)=\\frac{x+2}{7}", ["\\frac{x+2}{7}"], ["\\frac{x-2}{7}"]),
        ("\\frac{\\partial f}{\\partial x}=2x", ["2x"], ["x"]),
        ("\\text{June 20}", ["June 20"], ["June 21", "20"]),
        ("①③", ["③①", "①、③"], ["①②", "①", "13"]),
        ("v_0+at", ["at+v_0"], ["v_0-at"]),
    ],
    "Chinese units, alone and against letters": [
        ("5 米", ["5m", "500厘米"], ["5cm", "6m"]),
        ("5平方米", ["5m^2"], ["5m"]),
        ("5 米每秒", ["5 m/s", "18千米/时"], ["5 m"]),
        ("3小时", ["3h", "180分钟"], ["3s"]),
    ],
    "percent": [
        ("50%", ["0.5", "1/2", "百分之五十", "50 percent", "50 pct"], ["50", "0.05"]),
        ("1/3", ["33\\frac{1}{3}\\%"], ["33\\%"]),
    ],
    "units: missing is fine, convertible is compared, contradictory is wrong": [
        ("5 m", ["500 cm", "5", "5\\text{ meters}", "0.005 km", "5米"], ["5 kg", "5 cm", "6 m"]),
        ("5", ["5 cm", "5 apples"], []),
        ("36 km/h", ["10 m/s", "36 kilometers per hour"], ["36 mph"]),
        ("100°C", ["212°F", "100"], ["100°F"]),
        ("5 dollars", ["500 cents", "\\$5", "$5.00"], ["5 euros"]),
        ("12 cm^2", ["12 square centimeters", "12"], ["12 cm"]),
        (
            "45^\\circ",
            ["45", "\\pi/4", "45 degrees", "45°", "\\pi/4\\text{ radians}"],
            ["\\pi/3", "\\pi/3 rad", "45 rad"],
        ),
        ("2 hours 30 minutes", ["2.5 hours", "150 min"], ["2.3 hours"]),
        ("3千米", ["3000米"], ["300米"]),
        ("8个", ["8"], ["9个"]),
        ("5 apples", ["5", "5 red apples"], ["5 kg"]),
    ],
    "relations and intervals match both ways": [
        ("(1,2)", ["1<x<2", "x>1 and x<2", "x>1, x<2"], ["[1,2]", "(1,2]", "(2,1)"]),
        ("x>3", ["(3,\\infty)", "3<x", "2x>6", "x\\in(3,\\infty)"], ["x\\ge 3", "x<3"]),
        ("(-\\infty,1)\\cup(2,\\infty)", ["x<1 or x>2", "x>2 或 x<1"], ["x<1 and x<2", "x<1"]),
        ("\\mathbb{R}\\setminus\\{1\\}", ["x\\ne 1", "(-\\infty,1)\\cup(1,\\infty)"], ["x=1"]),
        ("\\mathbb{R}", ["all real numbers", "(-\\infty,\\infty)"], ["\\mathbb{Z}"]),
        ("|x|<2", ["-2<x<2", "(-2,2)"], ["x<2"]),
        ("\\{x \\mid x>1\\}", ["(1,\\infty)", "\\{t : t>1\\}"], ["x<1"]),
        ("\\emptyset", ["no solution", "\\{\\}", "无解", "空集"], ["0"]),
    ],
    "x = 5 for 5; a false claim or a tautology is wrong": [
        ("6", ["x=6", "6=x", "x=y=6", "2+4=6", "Area = 6"], ["5=6", "6=6", "x=6=7", "x=x"]),
        ("x=5", ["5", "5=x"], ["y=5", "6"]),
        ("y=2x+1", ["2x-y+1=0", "2x+1", "4x-2y=-2"], ["y=2x-1", "y=x+1"]),
        ("f(x)=x^2", ["f(t)=t^2", "x^2", "y=x^2"], ["f(x)=x^3"]),
        ("(p,q)=(3,2)", ["(3,2)", "p=3, q=2"], ["(2,3)"]),
    ],
    "sets and lists in any order, tuples in order": [
        ("\\{1,2\\}", ["2,1", "x=1 or x=2", "1 and 2", "x_1=2, x_2=1"], ["1", "1,2,3", "1,3"]),
        ("1,2,3", ["3,1,2"], ["1,2", "1,2,3,4"]),
        ("\\pm 3", ["3,-3", "x=\\pm3"], ["3"]),
        ("1\\pm\\sqrt2", ["1+\\sqrt2, 1-\\sqrt2"], ["1+\\sqrt2"]),
        ("(1,2,3)", ["1,2,3", "\\langle 1,2,3\\rangle"], ["(1,3,2)"]),
        ("x=1,y=2", ["(1,2)", "y=2, x=1"], ["(2,1)", "x=2,y=1"]),
        ("\\{(1,2),(3,4)\\}", ["(3,4),(1,2)"], ["(2,1),(3,4)"]),
        ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", ["[[1,2],[3,4]]"], ["[[1,3],[2,4]]"]),
        ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", ["(1,2)"], ["(2,1)"]),
    ],
    "ratios, congruences, general solutions, bound names": [
        ("3:4", ["6:8", "3/4"], ["4:3"]),
        ("2:3:4", ["4:6:8"], ["2:4:3"]),
        ("12:00", ["12:00"], ["1:00"]),
        (
            "x \\equiv 3 \\pmod 7",
            ["10 \\pmod 7", "x=7k+3, k\\in\\mathbb{Z}"],
            ["x\\equiv 4\\pmod 7"],
        ),
        (
            "x = \\frac{\\pi}{4}+k\\pi, k\\in\\mathbb{Z}",
            ["\\frac{5\\pi}{4}+n\\pi, n \\in \\mathbb{Z}", "\\frac{\\pi}{4}+n\\pi (n为整数)"],
            ["x=\\pi/4+2k\\pi, k\\in\\mathbb{Z}", "\\pi/4"],
        ),
        ("\\sum_{k=1}^n k", ["\\sum_{i=1}^n i"], ["\\sum_{k=1}^n k^2"]),
        ("\\ln|x|+C", ["\\ln|2x|+c"], ["\\ln|x|", "2\\ln|x|+C"]),
        ("(-1)^n", ["\\cos(n\\pi)"], ["1"]),
    ],
    "expressions by value, not by form": [
        ("x^2+2x+1", ["(x+1)^2", "1+2x+x**2"], ["x^2+1"]),
        ("\\cos 2x", ["1-2\\sin^2x", "\\cos^2x-\\sin^2x"], ["2\\cos x"]),
        ("\\ln 6", ["\\ln2+\\ln3"], ["\\ln 5"]),
        ("\\ln|x|", ["\\ln|x|"], ["\\ln x"]),
        ("3+4i", ["4i+3"], ["3-4i"]),
        ("\\int_0^1 x dx", ["1/2"], ["1"]),
        ("0", ["\\sin\\pi"], ["10^{-30}"]),
    ],
    "Chinese": [
        ("2/3", ["三分之二"], ["二分之三"]),
        ("12000", ["1.2万", "一万二千"], ["1.2亿"]),
        ("25", ["二十五", "答案是25"], ["二十六"]),
        ("17/3", ["五又三分之二"], []),
        ("x=3", ["x等于3"], ["x等于4"]),
    ],
    "choices": [
        ("B", ["(B)", "B.", "\\text{B}", "Option B", "选B", "b"], ["C", "B or C", "BC"]),
        ("A, C", ["AC", "C and A", "A、C"], ["A", "A, B, C"]),
    ],
    "text": [
        ("\\text{Evelyn}", ["evelyn", "Evelyn."], ["Eve"]),
        ("Yes", ["yes", "\\text{Yes}"], ["No"]),
        ("DNE", ["does not exist", "undefined"], ["0"]),
    ],
    "hedges, descriptions and code are wrong": [
        (
            "7",
            [],
            [
                "7 or 8",
                "either 7 or 8",
                "7 (or 8)",
                "not 7",
                "the answer is not 7",
                "6-8",
                "7±1",
                "between 6 and 8",
                "7, 8",
                "a correct number between 0 and 10",
                "7/0",
                "the number of days in a week",
                "lambda: 7",
                "eval('7')",
                "print(7)",
                "int(7)",
                "7 if True else 0",
                "7 # seven",
                "6;7",
                "__import__('os').getpid()",
                "9^{9^{9^9}}",
                "10000000!",
                "\\sum_{k=1}^{7} 1",
                "x=7, y=8",
            ],
        ),
        ("9^{9^{9^9}}", ["9^{9^{9^9}}"], ["9^{9^{9^9}}+1", "9^{9^{9^8}}"]),
    ],
}

WITH_QUESTION = [
    ("asked for a percentage", "What percent of 10 is 5?", "50%", "50", True),
    ("asked for a percentage", "What percentage is it?", "50", "50%", True),
    ("a bare fraction is no percentage", "What percent?", "50", "0.5", False),
    ("asked to round", "Round to two decimal places.", "2\\sqrt2", "2.83", True),
    ("more digits than asked", "Round to two decimal places.", "2.83", "2.828", True),
    ("fewer digits than asked", "Round to two decimal places.", "2.83", "2.8", False),
    ("not rounded at all", "Round to the nearest integer.", "3", "2.83", False),
    ("the option's content", "Capital? (A) Rome (B) Paris (C) Bern", "B", "Paris", True),
    ("letter and content agree", "Capital? (A) Rome (B) Paris (C) Bern", "B", "B. Paris", True),
    ("letter contradicts content", "Capital? (A) Rome (B) Paris (C) Bern", "B", "B. Rome", False),
    ("the letter of the content", "Capital? A. Rome B. Paris C. Bern", "Paris", "B", True),
    ("copies the question", "What is $3 \\times 4$?", "12", "3 \\times 4", False),
    ("copies the question", "Simplify $\\frac{2}{6}$.", "\\frac{1}{3}", "\\frac{2}{6}", False),
    ("copies the question", "Evaluate $\\sqrt{25}$.", "5", "\\sqrt{25}", False),
    ("copies the question", "Compute $5!$.", "120", "5!", False),
    ("a part of a number is no copy", "Compute $15!/14!+105$.", "120", "5!", True),
    ("copies the question", "Evaluate $\\binom{5}{2}$.", "10", "\\binom{5}{2}", False),
    ("a finished value is no copy", "Each has side $\\frac{1}{2}$.", "0.5", "\\frac12", True),
    ("a finished value is no copy", "Is $\\sqrt{2}$ > 1?", "2^{1/2}", "\\sqrt{2}", True),
    ("copies the question", "Expand $(x+1)^2$.", "x^2+2x+1", "(x+1)^2", False),
    ("a constant of integration", "Find $\\int 2x dx$.", "x^2", "x^2+C", True),
    ("digits of the asked base", "Write 5 in base 2.", "101_2", "101", True),
    ("the value in the wrong base", "Write 5 in base 2.", "101_2", "5", False),
    ("an approximate reference keeps the base", "In base 2?", "\\approx 101_2", "101", True),
    ("an approximate reference keeps the base", "In base 2?", "\\approx 101_2", "5", False),
]


def judge(reference: str, answer: str, question: str | None = None) -> tuple[float, str]:
    verdict = verify(
        Request(domain="math", response=answer, reference=reference, question=question, bare=True)
    )
    assert not verdict.ours_failed, verdict
    return verdict.score, verdict.detail


@pytest.mark.parametrize(
    ("reason", "reference", "answer", "passes"),
    [
        (reason, reference, answer, passes)
        for reason, rows in CASES.items()
        for reference, right, wrong in rows
        for passes, answers in ((True, [reference, *right]), (False, wrong))
        for answer in answers
    ],
)
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    score, detail = judge(reference, answer)
    assert (score == 1.0) == passes, (reason, detail)


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_allows(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    score, detail = judge(reference, answer, question)
    assert (score == 1.0) == passes, (reason, detail)


@pytest.mark.parametrize("reference", ["", "  ", "\\frac{1}{", "))", "\\frac{1}", "x=", True, None])
def test_a_reference_that_does_not_parse_is_named(reference: object) -> None:
    verdict = verify(Request(domain="math", response="1", reference=reference, bare=True))
    assert verdict.outcome is Outcome.BAD_REFERENCE


@pytest.mark.parametrize("reference", [5, 5.0, [1, 2], "Evelyn", "New York", "x^2"])
def test_a_reference_may_be_a_number_a_list_or_text(reference: object) -> None:
    text = ", ".join(map(str, reference)) if isinstance(reference, list) else str(reference)
    verdict = verify(Request(domain="math", response=text, reference=reference, bare=True))
    assert verdict.outcome is Outcome.CORRECT
