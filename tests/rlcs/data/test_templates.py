"""A chat template from elsewhere: it reaches nothing, and ends in time, size and memory."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from rlcs.data import Renderer, templates
from rlcs.errors import DatasetError, ModelError

OPEN = "{{ messages[0].content }}"


@pytest.fixture
def folder(tokenizer_folder: Path) -> Path:
    return tokenizer_folder


def with_template(folder: Path, template: str) -> Renderer:
    (folder / "chat_template.jinja").write_text(template)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config.pop("chat_template", None)
    path.write_text(json.dumps(config))
    return Renderer.load(str(folder), max_prompt_tokens=100)


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}"
                     "{% endfor %}", id="nested loops"),
        pytest.param("{{ 3 ** (10 ** 9) }}", id="a power that C computes for hours"),
    ],
)  # fmt: skip
def test_a_template_that_does_not_end_is_stopped(
    folder: Path, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "SECONDS", 0.5)
    renderer, started = with_template(folder, template), time.monotonic()
    with pytest.raises(ModelError, match=r"within 0.5 s, found one that did not end"):
        renderer.probe_template()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ 'x' * (10 ** 8) }}", id="one long text"),
        pytest.param("{% for i in range(99999) %}{{ messages[0].content * 100 }}{% endfor %}",
                     id="many short ones"),
    ],
)  # fmt: skip
def test_a_template_that_writes_too_much_is_refused(folder: Path, template: str) -> None:
    with pytest.raises(ModelError, match=r"writes at most 16777216 bytes|in 1024 MiB of memory"):
        with_template(folder, template).probe_template()


def test_a_template_gets_no_more_than_a_gibibyte(folder: Path) -> None:
    with pytest.raises(ModelError, match="in 1024 MiB of memory, found one that ended its"):
        with_template(folder, "{{ 'x' * (10 ** 11) }}").probe_template()


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ messages.__class__.__mro__ }}", id="the class of a list"),
        pytest.param("{{ ''.__class__.__base__.__subclasses__() }}", id="all classes"),
        pytest.param("{{ raise_exception.__globals__ }}", id="a function's globals"),
        pytest.param("{{ strftime_now.__globals__['os'].system('touch canary') }}", id="os"),
        pytest.param("{{ cycler.__init__.__globals__.os.popen('touch canary').read() }}",
                     id="jinja's own helpers"),
        pytest.param("{{ messages|attr('__class__') }}", id="by a filter"),
        pytest.param("{{ '{0.__class__}'.format(messages) }}", id="by a format"),
        pytest.param("{% set _ = messages.append(1) %}", id="changing what it is given"),
    ],
)  # fmt: skip
def test_a_template_reaches_no_attribute_that_leads_out(
    folder: Path, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    try:
        (text,) = with_template(folder, template)._render_texts([_problem()])
        assert "class" not in text.replace("question", "")
    except DatasetError as error:
        assert "SecurityError" in str(error)  # noqa: PT017
    assert not (folder / "canary").exists()


def test_every_text_has_its_own_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "SECONDS", 2.0)
    process = templates.TemplateProcess(_slowly, "owner")
    assert process.render(list(range(5))) == [str(number) for number in range(5)]
    assert process.render([]) == []


def test_one_child_renders_all_texts_and_ends_with_its_owner() -> None:
    process = templates.TemplateProcess(_which, "owner")
    (child,), again = process.render([0]), process.render(["a", "b"])
    assert again == [child, child]
    del process
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(child)), 0)


def test_the_child_keeps_nothing_of_its_parent_open() -> None:
    reading, writing = os.pipe()
    process = templates.TemplateProcess(_which, "owner")
    process.render([0])
    os.close(writing)
    assert os.read(reading, 1) == b"", "the end of the pipe, which a child with it would hold back"
    os.close(reading)


def test_a_child_that_dies_is_named_and_another_takes_its_place() -> None:
    process = templates.TemplateProcess(_dies, "owner")
    for _ in range(2):
        with pytest.raises(ModelError, match="found one that ended its process"):
            process.render([1])
    assert process.render([0]) == ["alive"]


def _slowly(number: int) -> str:
    time.sleep(0.5)
    return str(number)


def _which(number: int) -> str:
    return str(os.getpid())


def _dies(number: int) -> str:
    if number:
        os._exit(1)
    return "alive"


def _problem():  # type: ignore[no-untyped-def]
    from rlcs.types import Problem

    return Problem(
        problem_id="p1",
        domain="math",
        category="sums",
        messages=({"role": "user", "content": "a question"},),
        reference="2",
        question="a question",
    )
