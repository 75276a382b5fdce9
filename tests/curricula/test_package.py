"""The package as others meet it: its names, what importing it needs, its page."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

import curricula


def test_public_names() -> None:
    assert all(hasattr(curricula, name) for name in curricula.__all__)
    assert len(set(curricula.__all__)) == len(curricula.__all__)


def test_importing_curricula_needs_numpy_alone() -> None:
    code = (
        "import sys, curricula, curricula.study.simulation, curricula.study.replay; "
        "import curricula.study.plots; "
        "heavy = ('torch', 'trl', 'datasets', 'pyarrow', 'matplotlib', 'scipy', 'pydantic'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_example_of_the_readme_runs() -> None:
    text = (Path(curricula.__file__).parent / "README.md").read_text()
    pictures = re.findall(r"\]\((pictures/[a-z_]+\.png)\)", text)
    sizes = [(Path(curricula.__file__).parent / name).stat().st_size for name in pictures]
    assert len(sizes) == 15
    assert max(sizes) < 60_000
    example = text.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(example, names)
    assert len(names["train_on"]) == 32  # type: ignore[arg-type]


def test_the_settings_are_printed_as_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(curricula.__file__).parent / "README.md").read_text()
    exec(text.split("```python\n")[2].split("```")[0], {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(dataclasses.fields(curricula.RlcsSettings))
    assert printed[0].startswith("tiers: The names of the difficulty tiers")
