"""The page in a real browser: hostile runs, marks by pixel, narrow windows, what is new, the
keyboard alone, search, a run that is gone, and what axe finds.

The rules of the page forbid to evaluate texts in it: so nothing here waits for a function.

They need Chromium at /usr/bin/chromium (Debian: apt-get install chromium).
"""

from __future__ import annotations

import io
import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import PIL.Image
import pytest
from axe_playwright_python.sync_playwright import Axe
from made_runs import (
    HOSTILE,
    completion,
    group,
    make_run,
    open_run,
    problem_row,
    step_row,
    write_run,
)
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from rlcs.dashboard.app import make_app
from rlcs.dashboard.context import Context
from rlcs.dashboard.views import VIEWS
from rlcs.insight import Runs

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}: apt-get install chromium"
    ),
]
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
TARGET, PREDICTED = (18, 128, 92), (180, 68, 15)
"""Colours of the marks in the light style."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Served:
    """Runs on a page."""

    root: Path
    address: str
    maker: Any


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page over a live run, a hostile one and one with a picture; all read but what is new."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    root = tmp_path_factory.mktemp("served")
    cache = root / "cache"
    maker = make_run(root / "runs" / "live", steps=4)
    maker.checkpoint()
    write_hostile(root / "runs" / f"a{HOSTILE.replace('/', '')}")
    write_picture(root / "runs" / "seen")
    for folder in (root / "runs").iterdir():
        open_run(folder, cache).close()
    context = Context(runs=Runs(root / "runs", cache=cache))
    server = make_server("127.0.0.1", 0, make_app(context).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context.start_reading()
    yield Served(root=root, address=f"http://127.0.0.1:{server.server_port}", maker=maker)
    server.shutdown()
    context.close()


def write_hostile(folder: Path) -> None:
    """A run in which every text is an attack."""
    row = step_row(1, **{HOSTILE: 1})
    row["passes_by_category"] = {HOSTILE: 0.5}
    row["curriculum"] = {f"tier/{HOSTILE}": 1.0, **row["curriculum"]}
    named = {"domain": HOSTILE, "category": HOSTILE, "tier": HOSTILE}
    write_run(
        folder,
        groups=[group(1, HOSTILE, 0, "invalid", **named), group(1, "../../x", 2, HOSTILE, **named)],
        completions={
            1: [
                completion(HOSTILE, index, text=HOSTILE, extracted=HOSTILE, detail=HOSTILE,
                           outcome=HOSTILE, finish_reason=HOSTILE)
                for index in range(4)
            ]
        },
        steps=[row],
        problems=[
            problem_row(
                HOSTILE,
                question=HOSTILE,
                category=HOSTILE,
                reference=json.dumps({"a": HOSTILE}),
                images=json.dumps([{"name": HOSTILE, "file": "/etc/passwd", "width": HOSTILE}]),
                messages=json.dumps([{"role": HOSTILE, "content": HOSTILE}]),
            )
        ],
    )  # fmt: skip
    (folder / "config.resolved.yaml").write_text(json.dumps({"run": {"name": HOSTILE}, HOSTILE: 1}))
    fault = {"time": 1e9, "what": HOSTILE, "detail": HOSTILE}
    (folder / "log" / "faults.jsonl").write_text(json.dumps(fault) + "\n")


def write_picture(folder: Path) -> None:
    """A run with one problem on a grey picture of 400 x 200 pixels: a target, and a click."""
    reference = {"action": "click", "bbox": [250, 250, 500, 750], "coord": "norm1000"}
    answers = [
        '{"action": "click", "point": [750, 500]}',
        '{"action": "click", "point": [750, 500]}',
    ]
    image = {"name": "a.png", "file": str(folder / "a.png"), "width": 400, "height": 200}
    write_run(
        folder,
        groups=[group(1, "click", 0, "invalid", domain="gui")],
        completions={
            1: [completion("click", at, extracted=answer) for at, answer in enumerate(answers)]
        },
        problems=[
            problem_row(
                "click", domain="gui", reference=json.dumps(reference), images=json.dumps([image])
            )
        ],
    )
    PIL.Image.new("RGB", (400, 200), (128, 128, 128)).save(folder / "a.png")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


def open_view(page: Page, served: Served, view: str, **parameters: str) -> None:
    """Open a view and wait for its content."""
    from rlcs.dashboard.parts import address

    page.goto(served.address + address(view, **parameters))
    page.wait_for_selector("#content > *")


def go(page: Page, view: str, **parameters: str) -> None:
    """Go to a view as a link of the page does, without loading the page anew."""
    from rlcs.dashboard.parts import address

    with page.expect_response(
        lambda answer: "content.children" in (answer.request.post_data or "")
    ):
        page.evaluate(
            "to => { history.pushState({}, '', to);"
            " window.dispatchEvent(new CustomEvent('_dashprivate_pushstate')); }",
            address(view, **parameters),
        )
    expect(page.locator("h1")).to_have_text(VIEWS[view].title)
    page.wait_for_timeout(150)  # what came is drawn


def test_every_view_of_a_hostile_run_is_text_alone(page: Page, served: Served) -> None:
    """No script runs, no picture or link of the run's texts comes to be, nothing is fetched."""
    (name,) = [path.name for path in (served.root / "runs").iterdir() if "hacked" in path.name]
    elsewhere: list[str] = []
    page.on("dialog", lambda dialog: elsewhere.append(dialog.message))
    page.on(
        "request",
        lambda sent: None if sent.url.startswith((served.address, "data:", "blob:"))
        else elsewhere.append(sent.url),
    )  # fmt: skip
    open_view(page, served, "overview", run=name)
    for view in VIEWS:
        go(page, view, run=name, problem=HOSTILE)
        assert page.evaluate("window.hacked") is None, view
        # What the run says would be an element with onerror, or a script without a source.
        assert page.locator("[onerror]").count() == 0, view
        assert page.locator("#page script").count() == 0, view
    assert elsewhere == []
    open_view(page, served, "problem", run=name, problem=HOSTILE)
    assert page.get_by_text(HOSTILE).count() > 3  # it is shown as it is
    assert page.locator(".picture img").evaluate("image => image.naturalWidth") == 0


def test_marks_stand_where_they_should(page: Page, served: Served) -> None:
    open_view(page, served, "problem", run="seen", problem="click")
    picture = page.locator(".picture")
    shown = page.locator(".picture img")
    shown.scroll_into_view_if_needed()
    shown.evaluate("image => image.decode()")
    assert shown.evaluate("image => image.naturalWidth") == 400
    shot = PIL.Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
    # The picture may begin between two pixels of the screen: then it is a pixel off.
    assert shot.size[0] == 400
    assert shot.size[1] in (200, 201)

    def columns(colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
        """The smallest box around all pixels of a colour."""
        mask = PIL.Image.new("1", shot.size)
        mask.putdata([pixel == colour for pixel in shot.getdata()])
        found = mask.getbbox()
        assert found is not None
        return found

    # The target is [100, 50] to [200, 150]; the ring of a click has 14 pixels around (300, 100).
    assert columns(TARGET) == pytest.approx((100, 50, 200, 150), abs=1)
    left, top, right, bottom = columns(PREDICTED)
    assert abs((left + right) / 2 - 300) <= 1
    assert abs((top + bottom) / 2 - 100) <= 1


@pytest.mark.parametrize(
    ("width", "theme", "rules"),
    [(1280, "light", None), (400, "dark", {"runOnly": ["color-contrast"]})],
)
def test_every_view_fits_the_window_and_has_no_serious_finding_of_axe(
    browser: Browser,
    served: Served,
    width: int,
    theme: Literal["light", "dark"],
    rules: dict[str, Any] | None,
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    page.set_default_timeout(PATIENCE_MS)
    problem = drawn_problem(served)
    findings = []
    open_view(page, served, "overview", run="live")
    for view in VIEWS:
        go(page, view, run="live", problem=problem)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
        for found in Axe().run(page, options=rules).response["violations"]:
            if found["impact"] in ("serious", "critical"):
                where = [node["html"][:200] for node in found["nodes"][:3]]
                findings.append((view, found["id"], where))
    page.close()
    assert findings == []


def drawn_problem(served: Served) -> str:
    """The id of a problem that the live run has drawn."""
    lines = (served.root / "runs" / "live" / "log" / "groups.jsonl").read_text().splitlines()
    return str(json.loads(lines[-1])["problem_id"])


def test_what_is_worked_out_beside_the_page_shows_when_it_is_done(
    page: Page, served: Served
) -> None:
    open_view(page, served, "next_draw", run="live", problem=drawn_problem(served))
    expect(page.get_by_text("It rests, because it was drawn a short while ago.")).to_be_visible()
    expect(page.locator("#content table tbody tr")).to_have_count(60)
    go(page, "what_if", run="live", samplers="uniform")
    page.get_by_role("button", name="Replay").click()
    rows = page.locator("#content table tbody tr")
    expect(rows).to_have_count(2)
    # The made run draws each of its problems alike, as uniform would.
    expect(rows.nth(1).locator("td").nth(4)).to_have_text("100.0 %")


def test_a_new_step_shows_within_three_seconds(page: Page, served: Served) -> None:
    """The best of three: what else the machine does now and then takes longer."""
    open_view(page, served, "overview", run="live")
    steps = page.locator("main .card").first.locator("tbody tr td").nth(2)
    expect(steps).to_have_text("4 of 4")
    took = []
    for step in (5, 6, 7):
        served.maker.step(step, 1.0)
        written = time.monotonic()
        expect(steps).to_have_text(f"{step} of 4")
        took.append(time.monotonic() - written)
    assert min(took) < 3, took
    expect(page.locator("#status")).to_contain_text("step 7")


def test_a_run_that_is_removed_is_shown_as_such(page: Page, served: Served) -> None:
    folder = served.root / "runs" / "short-lived"
    make_run(folder, steps=2)
    open_view(page, served, "waste", run="short-lived")
    expect(page.locator("#content .card").first).to_be_visible()
    shutil.rmtree(folder)
    gone = page.get_by_text("No run short-lived can be opened")
    expect(gone).to_be_visible(timeout=10_000)
    page.locator(".run-choice summary").click()
    page.get_by_role("link", name="live · ").click()
    expect(page.locator("#content .card").first).to_be_visible()


def test_search_and_filters_in_the_table_of_problems(page: Page, served: Served) -> None:
    open_view(page, served, "problems", run="live")
    questions = page.locator(".ag-center-cols-container [col-id=question]")
    expect(questions.nth(5)).to_contain_text("What is")
    search = page.get_by_label("Search ids and questions")
    search.fill("is 17 +")
    search.press("Enter")
    expect(questions).to_have_count(1)
    expect(questions).to_contain_text("What is 17 + 17?")
    assert "search=is+17" in page.url
    page.reload()
    expect(questions).to_have_count(1)  # what is searched is in the address
    search.fill("nothing has this")
    search.press("Enter")
    expect(questions).to_have_count(0)


def tab_to(page: Page, wanted: str, *, most: int = 60) -> None:
    """Go by the Tab key alone to the part of the page that ``wanted`` selects."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{most} tabs do not lead to {wanted}")


def test_the_keyboard_alone_suffices(page: Page, served: Served) -> None:
    open_view(page, served, "overview", run="live")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first link skips the menu
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, ".choices a[href*='over=completions']")
    page.keyboard.press("Enter")
    expect(page.locator(".xtitle").first).to_have_text("completions")
    page.reload()
    tab_to(page, "nav a[href^='/problems']")
    page.keyboard.press("Enter")
    cells = page.locator(".ag-center-cols-container [col-id=question]")
    expect(cells.nth(2)).to_contain_text("What is")
    tab_to(page, "#main input[type=search]")
    page.keyboard.type("is 7")
    page.keyboard.press("Enter")
    expect(cells.first).to_contain_text("is 7")
    tab_to(page, ".ag-header-cell")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator("#problem-chosen h2")).to_contain_text("Problem ")
    tab_to(page, "#problem-chosen a")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("One problem")
    tab_to(page, ".run-choice summary")
    page.keyboard.press("Enter")
    tab_to(page, ".run-choice a[href*='seen']")
    page.keyboard.press("Enter")
    expect(page.locator(".run-choice summary")).to_contain_text("seen")
    tab_to(page, "#theme-button")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
