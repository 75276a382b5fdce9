"""What is odd about a response."""

from __future__ import annotations

from rewards.diagnostics import diagnose


def test_diagnostics() -> None:
    plain = diagnose("<think>Two and two make four.</think><answer>\\boxed{4}</answer>")
    assert set(plain.values()) == {0.0}
    mixed = diagnose("The answer 因为二加二等于四 therefore 所以答案是四 \\boxed{4}")
    assert mixed["language_mixing"] > 0.4
    assert diagnose("<think>a<answer>b</answer>")["unclosed_tags"] == 0.5
    assert diagnose("\\boxed{1} \\boxed{2}")["not_one_box"] == 1.0
