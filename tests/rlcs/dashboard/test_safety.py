"""Who sees the page, and that no text of a run becomes more than text; without a browser."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from made_runs import HOSTILE, completion, group, make_run, problem_row, write_run

from rlcs.cli.main import main
from rlcs.dashboard.app import make_app
from rlcs.dashboard.context import Context
from rlcs.dashboard.export import export
from rlcs.dashboard.export_list import as_csv, as_lines
from rlcs.dashboard.parts import plain
from rlcs.dashboard.pictures import read_picture
from rlcs.dashboard.safety import check_address
from rlcs.errors import ConfigError
from rlcs.insight import Runs

TOKEN = "a token of enough letters"


def client(folder: Path, cache: Path, **settings: Any) -> Any:
    """A client of the page over the runs in ``folder``."""
    context = Context(runs=Runs(folder, cache=cache))
    return make_app(context, **settings).server.test_client()


@pytest.mark.parametrize(
    ("address", "token", "message"),
    [
        pytest.param("127.0.0.1", None, None, id="loopback"),
        pytest.param("::1", None, None, id="loopback of IPv6"),
        pytest.param("localhost", None, None, id="by its name"),
        pytest.param("0.0.0.0", None, "others could reach", id="everywhere"),
        pytest.param("192.168.1.5", None, "others could reach", id="a network"),
        pytest.param("::", None, "others could reach", id="everywhere in IPv6"),
        pytest.param("0.0.0.0", TOKEN, None, id="everywhere with a token"),
        pytest.param("0.0.0.0", "short", "at least 16", id="a short token"),
        pytest.param("example.org", None, "an IP address", id="a name"),
    ],
)
def test_another_address_needs_a_token(address: str, token: str | None, message: str) -> None:
    if message is None:
        check_address(address, token)
    else:
        with pytest.raises(ConfigError, match=message):
            check_address(address, token)


def test_the_command_says_so_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", str(tmp_path), "--address", "0.0.0.0"]) == 2
    assert "--token" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("localhost:8050", 200, id="this machine"),
        pytest.param("127.0.0.1", 200, id="its address"),
        pytest.param("[::1]:8050", 200, id="IPv6"),
        pytest.param("evil.example:8050", 403, id="a name that leads here"),
        pytest.param("localhost.evil.example", 403, id="a name that begins alike"),
    ],
)
def test_a_local_page_answers_to_its_own_names(tmp_path: Path, host: str, status: int) -> None:
    answer = client(tmp_path, tmp_path / "cache").get("/", headers={"Host": host})
    assert answer.status_code == status


def test_the_token_is_asked_for_everywhere(tmp_path: Path) -> None:
    page = client(tmp_path, tmp_path / "cache", token=TOKEN, local=False)
    for path in ("/", "/_dash-layout", "/picture?run=a", "/assets/style.css"):
        assert page.get(path).status_code == 401, path
    assert page.get("/?token=wrong").status_code == 401
    assert page.get("/", query_string={"token": TOKEN}).status_code == 302
    assert page.get("/_dash-layout").status_code == 200  # by the cookie


def test_a_browser_may_run_the_scripts_of_this_page_alone(tmp_path: Path) -> None:
    rules = client(tmp_path, tmp_path / "cache").get("/").headers["Content-Security-Policy"]
    scripts = next(rule for rule in rules.split("; ") if rule.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "http" not in rules
    assert "default-src 'self'" in rules


def test_nothing_of_the_page_comes_from_elsewhere(tmp_path: Path) -> None:
    text = client(tmp_path, tmp_path / "cache").get("/").get_data(as_text=True)
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        pytest.param("inside.png", True, id="in the folder"),
        pytest.param("../secret.png", False, id="beside it"),
        pytest.param("link.png", False, id="a link that leads out"),
        pytest.param("text.png", False, id="no picture"),
        pytest.param("missing.png", False, id="missing"),
        pytest.param("in\0side.png", False, id="a zero in the name"),
    ],
)
def test_pictures_come_from_the_named_folders_alone(tmp_path: Path, file: str, shown: bool) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (folder / "inside.png", tmp_path / "secret.png"):
        PIL.Image.new("RGB", (20, 10), "red").save(path)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "text.png").write_text("root:x:0:0")
    found = read_picture(f"{folder}/{file}", [folder])
    assert (found is not None) is shown
    assert read_picture(str(folder / "inside.png"), []) is None


def test_a_picture_is_made_anew(tmp_path: Path) -> None:
    """What hides behind the pixels of a file does not reach the browser."""
    stored = io.BytesIO()
    PIL.Image.new("RGB", (20, 10), "red").save(stored, "PNG")
    (tmp_path / "a.png").write_bytes(stored.getvalue() + b"<script>")
    found = read_picture(str(tmp_path / "a.png"), [tmp_path])
    assert found is not None
    assert b"<script>" not in found
    with PIL.Image.open(io.BytesIO(found)) as opened:
        assert (opened.format, opened.getpixel((3, 3))) == ("PNG", (255, 0, 0))


def test_pictures_are_asked_for_by_number(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    images = json.dumps([{"name": "a.png", "file": str(runs / "a" / "a.png")},
                         {"name": "b", "file": "/etc/passwd"}])  # fmt: skip
    problems = [problem_row("p", images=images)]
    write_run(runs / "a", groups=[group(1, "p", 1, "trained")], problems=problems)
    PIL.Image.new("RGB", (20, 10), "red").save(runs / "a" / "a.png")
    context = Context(runs=Runs(runs, cache=tmp_path / "cache"))
    context.runs.run("a").reader.read(60)
    page = make_app(context).server.test_client()
    found = page.get("/picture?run=a&problem=p&number=0")
    assert (found.status_code, found.mimetype) == (200, "image/png")
    refused = ("run=a&problem=p&number=1", "run=a&problem=p&number=-1", "run=..&problem=p",
               "run=a&problem=q&number=0", "")  # fmt: skip
    for query in refused:
        assert page.get(f"/picture?{query}").status_code == 404, query


def test_a_list_of_ids_has_a_line_an_id() -> None:
    assert as_lines(["a", "b c", "d\ne", "f\x1b[2J", "é"]) == "a\nb c\né\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1+1", "\r=1"])
def test_a_list_to_save_has_no_formula(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv(["id"], [{"id": text}])))
    assert row == [f"'{text}"]


def test_numbers_of_a_list_stay_numbers() -> None:
    assert as_csv(["a", "b"], [{"a": -1.5, "b": None}]) == "a,b\r\n-1.5,\r\n"


def test_a_name_in_a_figure_is_read_letter_by_letter() -> None:
    assert plain("<b>&amp;\n") == "&lt;b&gt;&amp;amp;\\n"


def test_the_exported_page_has_no_markup_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(
        tmp_path / "a",
        groups=[group(1, HOSTILE, 1, "trained", domain=HOSTILE, category=HOSTILE, tier=HOSTILE)],
        completions={1: [completion(HOSTILE, 0, outcome=HOSTILE, text=HOSTILE)]},
        problems=[problem_row(HOSTILE, category=HOSTILE, question=HOSTILE)],
    )
    faults = [{"time": 0, "what": HOSTILE, "detail": "</script>"}]
    (tmp_path / "a" / "log" / "faults.jsonl").write_text(json.dumps(faults[0]) + "\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    export(tmp_path / "a", tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    own = text[text.index("</head>") :]
    assert "<img" not in own
    assert own.count("<script") == own.count("</script>") == 2
    assert "&lt;script&gt;" in own


def test_a_page_is_exported_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_run(tmp_path / "a", steps=2)
    out = tmp_path / "a.html"
    assert main(["dashboard", str(tmp_path / "a"), "--export", str(out)]) == 0
    assert "Waste ledger" in out.read_text()
    assert "a.html" in capsys.readouterr().out
