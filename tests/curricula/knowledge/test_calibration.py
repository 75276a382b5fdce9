"""How good the predicted pass rates are."""

from worlds import problems, run

from curricula import make_curriculum


def test_predictions_are_calibrated() -> None:
    curriculum = make_curriculum("rlcs", problems(3000), group_size=8, seed=0)
    run(curriculum, range(40), num_groups=64)
    metrics = curriculum.metrics()
    assert metrics["brier"] < 0.95 * metrics["brier_baseline"]
    assert metrics["calibration_error"] < 0.05
    table = curriculum.reliability()
    assert sum(
        row.attempts for row in table if abs(row.predicted - row.observed) > 0.12
    ) < 0.1 * sum(row.attempts for row in table)
