"""The page in a browser, against a real server: what a person does with it, and what goes wrong meanwhile."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import DESK, PHONE, Wire, axe_finds, opened, script
from serving import listening

from scenewise import Agent, Item, ItemId, ScriptedModel, Settings
from scenewise.service.api.app import create_app
from scenewise.service.api.keys import KeyFile
from scenewise.service.api.limits import Limits
from scenewise.store.errors import ModelError
from scenewise.store.store import Store
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.recogniser import SceneRecogniser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
WISH = "a funny film for tonight"


def say(page: Page, words: str) -> None:
    """Type a message and send it."""
    page.locator("#message").fill(words)
    page.locator("#message").press("Enter")


def answered(page: Page, n: int = 1) -> Locator:
    """Wait for the n-th answer, and return its entry."""
    page.wait_for_function("n => document.querySelectorAll('.entry[data-state=done]').length >= n", arg=n)
    return page.locator(".entry").nth(n - 1)


def troubled(page: Page, words: str) -> None:
    """Wait for an entry to say what is wrong."""
    page.locator(".entry .notice", has_text=words).wait_for()


def titles(page: Page) -> list[str]:
    """The titles on the cards."""
    return page.locator(".card h3").all_text_contents()


def kept(page: Page) -> dict[str, Any]:
    """What the page remembers."""
    return dict(page.evaluate("JSON.parse(localStorage.getItem('scenewise.page.1'))"))


def turns(agent: Agent, page: Page) -> list[dict[str, Any]]:
    """The turns of the page's conversation that the store has."""
    return agent.store.turns.of_conversation(kept(page)["conversation"])


@contextmanager
def slower(agent: Agent, delay_s: float) -> Iterator[None]:
    """Let the agent's LLM take its time, as long as the block."""
    model, agent.model = agent.model, replace(script(), delay_s=delay_s)
    try:
        yield
    finally:
        agent.model = model


def test_a_whole_conversation(page: Page, page_agent: Agent) -> None:
    say(page, WISH)
    page.locator(".progress").wait_for()
    entry = answered(page)
    (turn,) = turns(page_agent, page)
    assert turn["message"] == WISH
    assert titles(page) == [item["title"] for item in turn["items"]]
    assert entry.locator(".said p").inner_text() == WISH
    assert entry.locator(".reply").inner_text() == turn["reply"].split("\n")[0].rstrip(":")
    card = page.locator(".card").nth(1)
    assert card.locator(".copy").inner_text() == turn["items"][1]["copy"]
    card.get_by_text("Evidence").click()
    assert turn["items"][1]["claims"][0][0] in card.locator(".claims").inner_text()
    assert card.locator(".rows div").count() == len(turn["items"][1]["evidence"])
    card.get_by_role("button", name="Why").click()
    why = answered(page, 2)
    assert f"Number 2, {turn['items'][1]['title']}" in why.locator(".reply").inner_text()
    assert titles(page) == [item["title"] for item in turn["items"]], "an explanation is no new list"
    before = page.locator("#thread").inner_text()
    page.reload()
    answered(page, 2)
    assert page.locator("#thread").inner_text() == before
    assert titles(page) == [item["title"] for item in turn["items"]]
    page.get_by_role("button", name="New conversation").click()
    assert page.get_by_role("heading", name="What is the moment like?").is_visible()
    assert page.locator(".entry").count() == 0
    assert turns(page_agent, page) == []


def test_what_is_still_being_read_is_not_shown_as_answered(page: Page, page_agent: Agent) -> None:
    say(page, WISH)
    reply = answered(page).locator(".reply").inner_text()
    held: list[Route] = []
    page.route("**/v1/turns/**", lambda route: held.append(route))
    page.reload()
    entry = page.locator(".entry[data-state=reading]")
    entry.wait_for()
    assert entry.locator(".answer").inner_text() == "Loading …"
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    assert answered(page).locator(".reply").inner_text() == reply


def test_feedback_changes_the_next_list(page: Page, page_agent: Agent) -> None:
    say(page, "only films please")
    answered(page)
    first = titles(page)
    page.locator(".card").first.get_by_role("button", name="Not").click()
    page.locator(".note", has_text=first[0]).wait_for()
    second = titles(page)
    assert first[0] not in second
    assert page.evaluate("document.activeElement.id") == "list-title"
    page.locator(".card").first.get_by_role("button", name="I have seen").click()
    page.locator(".note", has_text=second[0]).wait_for()
    assert not {first[0], second[0]} & set(titles(page))
    liked = titles(page)[0]
    page.locator(".card").first.get_by_role("button", name="More like").click()
    entry = answered(page, 2)
    assert entry.locator(".said p").inner_text() == f"More like {liked}"
    assert not {first[0], second[0], liked} & set(titles(page))
    events = page_agent.store.events.of_user(kept(page)["user"])
    assert [event.kind for event in events] == ["dislike", "seen", "like"]
    assert [page_agent.store.items.get(event.item_id).title for event in events] == [first[0], second[0], liked]


def test_a_changed_moment_ranks_anew_at_once(page: Page, page_agent: Agent) -> None:
    page.get_by_label("Scene", exact=True).select_option("bedtime")
    page.locator("#list-title", has_text="Bedtime").wait_for()
    say(page, WISH)
    answered(page, 2)
    page.get_by_label("Scene", exact=True).select_option("party")
    page.locator("#list-title", has_text="Party").wait_for()
    page.get_by_label("Device", exact=True).select_option("tv")
    page.get_by_label("Place", exact=True).select_option("home")
    page.locator("#list[aria-busy=false]").wait_for()
    last = turns(page_agent, page)[-1]
    assert (last["scene"], last["message"], last["llm_rounds"]) == ("party", WISH, 0)
    assert titles(page) == [item["title"] for item in last["items"]]
    assert page.locator(".entry").count() == 2, "the list that was there is ranked anew, not another one added"
    page.locator(".card").first.get_by_role("button", name="Why").click()
    assert titles(page)[0] in answered(page, 3).locator(".reply").inner_text(), "the agent speaks of the list that is shown"


@pytest.fixture
def wire(address: str) -> Iterator[Wire]:
    """A connection to the server that can be cut."""
    made = Wire(address)
    yield made
    made.close()


@pytest.mark.parametrize(("cut_at", "deaf"), [(b'"name": "plan"', False), (b'"finish_reason": "stop"', True)], ids=["early", "answer lost"])
def test_a_dropped_connection_loses_and_doubles_nothing(browser: Browser, wire: Wire, page_agent: Agent, cut_at: bytes, deaf: bool) -> None:
    with opened(browser, wire.address) as page:
        wire.cut_at, wire.deaf = cut_at, deaf
        say(page, WISH)
        troubled(page, "The connection dropped")
        assert wire.cuts == 1
        assert page.locator(".said p").all_inner_texts() == [WISH]
        wire.down = True
        page.get_by_role("button", name="Try again").click()
        page.locator(".entry[data-state=dropped]").wait_for()
        wire.down = False
        page.get_by_role("button", name="Try again").click()
        answered(page)
        (turn,) = turns(page_agent, page)
        assert titles(page) == [item["title"] for item in turn["items"]]
        assert page.locator(".said").count() == 1


def test_a_message_without_an_answer_outlives_a_reload(browser: Browser, wire: Wire, page_agent: Agent) -> None:
    with opened(browser, wire.address) as page:
        wire.cut_at = b'"name": "plan"'
        say(page, WISH)
        troubled(page, "The connection dropped")
        page.reload()
        troubled(page, "This message has had no answer yet.")
        page.get_by_role("button", name="Try again").click()
        answered(page)
        assert len(turns(page_agent, page)) == 1


def test_a_turn_can_be_stopped(page: Page, page_agent: Agent) -> None:
    with slower(page_agent, 5.0):
        say(page, WISH)
        page.get_by_role("button", name="Stop").click()
        troubled(page, "Stopped.")
        assert turns(page_agent, page) == []
    page.get_by_role("button", name="Try again").click()
    answered(page)


def test_an_llm_that_is_down_is_said(browser: Browser, own_store: Path, encoders: Encoders) -> None:
    down = ScriptedModel(plans=(ModelError("no", reason="unreachable"),), texts=(ModelError("no", reason="unreachable"),))
    with (
        Agent.open(own_store, settings=Settings(), model=down, encoders=encoders) as agent,
        listening(create_app(agent)) as address,
        opened(browser, address) as page,
    ):
        say(page, WISH)
        entry = answered(page)
        assert "without the language model (it cannot be reached)" in entry.locator(".notice.warn").inner_text()
        assert page.locator(".card").count() == 5
        agent.model = None
        page.reload()
        page.locator("#model", has_text="No language model").wait_for()


HOSTILE = (
    ('<img src=x onerror="window.hacked=1">', ("javascript:window.hacked=1",)),
    ("<script>window.hacked=1</script>", ("data:image/svg+xml,<svg onload=alert(1)>",)),
    ("![pixel](https://evil.example/x.png)", ("//evil.example/x.png",)),
    ("[click](javascript:window.hacked=1)", ("http://evil.example/x.png", " https://evil.example/x.png")),
    ("A picture of its own", ("https://pictures.example/own.png",)),
)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


def test_hostile_titles_are_text_and_only_safe_pictures_are_loaded(
    browser: Browser, small_store: Path, tmp_path: Path, encoders: Encoders
) -> None:
    items = [
        Item(ItemId(f"h{i}"), "movies", title, text=f"A film called {title}.", attributes={"genre": ("Comedy", title)}, media=media)
        for i, (title, media) in enumerate(HOSTILE)
    ]
    with Store.open(tmp_path / "hostile", create=True, purpose="test") as store:
        store.items.upsert(items)
    asked: list[str] = []
    shutil.copytree(SceneRecogniser.folder_of(small_store), SceneRecogniser.folder_of(tmp_path / "hostile"))
    with (
        Agent.open(tmp_path / "hostile", settings=Settings(llm_off=True), encoders=encoders) as agent,
        listening(create_app(agent)) as address,
        opened(browser, address) as page,
    ):
        page.on("request", lambda request: asked.append(request.url))
        page.route("https://pictures.example/**", lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
        say(page, '<b onclick="window.hacked=1">a film</b>')
        answered(page)
        assert sorted(titles(page)) == sorted(title for title, _ in HOSTILE)
        page.locator(".picture img").wait_for()
        page.locator(".card").first.get_by_role("button", name="What is around").click()
        page.locator(".graph .node").first.wait_for()
        page.keyboard.press("Escape")
        page.locator(".card").first.get_by_role("button", name="Why").click()
        answered(page, 2)
        assert page.evaluate("window.hacked") is None
        assert page.locator("main img, dialog img").evaluate_all("all => all.map(one => one.src)") == ["https://pictures.example/own.png"]
        assert page.locator("main a, main script, main b").count() == 0
        assert {url.split("/")[2] for url in asked} == {address.split("/")[2], "pictures.example"}
        assert page.locator(".said p").first.inner_text() == '<b onclick="window.hacked=1">a film</b>'


def test_a_turn_by_keyboard_alone(page: Page) -> None:
    keyboard = page.keyboard
    page.locator("#send").wait_for()
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    keyboard.press("Enter")
    keyboard.type(WISH)
    keyboard.press("Enter")
    answered(page)
    assert page.evaluate("document.activeElement.id") == "message"
    assert "5 items" in page.locator("#live").inner_text() or page.locator("#live").text_content()
    first = titles(page)[0]
    tab_to(page, "[data-act=not]")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keyboard.press("Enter")
    page.locator(".note", has_text=first).wait_for()
    assert first not in titles(page)
    tab_to(page, "summary")
    keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    tab_to(page, "#tool-profile", backwards=True)
    keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("heading", name="Profile").wait_for()
    keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.id") == "tool-profile"


def tab_to(page: Page, selector: str, *, backwards: bool = False) -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_serious(browser: Browser, address: str, size: dict[str, int], scheme: str) -> None:
    with opened(browser, address, viewport=size, color_scheme=scheme, bypass_csp=True) as page:
        found = {"welcome": axe_finds(page)}
        say(page, WISH)
        answered(page)
        page.locator(".card summary").first.click()
        found["list"] = axe_finds(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        for name, opener in (("profile", "#tool-profile"), ("developer", "#tool-developer"), ("graph", "[data-act=graph]")):
            page.locator(opener).first.click()
            page.locator({"profile": ".data", "developer": ".calls", "graph": ".graph"}[name]).wait_for()
            found[name] = axe_finds(page)
            assert page.evaluate("document.querySelector('.sheet-body').scrollWidth <= innerWidth")
            page.keyboard.press("Escape")
        page.context.set_offline(True)
        say(page, "something else")
        troubled(page, "The connection dropped")
        found["dropped"] = axe_finds(page)
    assert {name: list_ for name, list_ in found.items() if list_} == {}


def test_a_key_is_asked_for_and_stays_in_the_tab(browser: Browser, page_agent: Agent, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    token = keys.add("page", ["chat"], user_id="eve", expires_s=None, now_s=0.0)[1]
    with listening(create_app(page_agent, keys=keys)) as address, opened(browser, address) as page:
        dialog = page.get_by_role("dialog", name="A key is needed")
        dialog.get_by_label("Key").fill("sw-00000000-wrong")
        dialog.get_by_role("button").click()
        dialog.get_by_role("alert").wait_for()
        dialog.get_by_label("Key").fill(token)
        dialog.get_by_role("button").click()
        dialog.wait_for(state="detached")
        say(page, WISH)
        answered(page)
        assert turns(page_agent, page)[0]["user_id"] == "eve"
        assert token not in json.dumps(page.evaluate("({...localStorage})")) + page.evaluate("document.cookie")
        assert token in page.evaluate("Object.values({...sessionStorage})")
        page.locator(".card").first.get_by_role(
            "button", name="Not"
        ).click()  # the key may not write: it is said, and the list is ranked anew
        page.locator("#strip", has_text="This key may not record feedback").wait_for()
        page.reload()
        answered(page)
        page.locator("#tool-profile").click()
        assert page.get_by_label("Who you are here").input_value() == "eve"


def test_the_profile_is_read_edited_locked_exported_and_forgotten(page: Page, page_agent: Agent) -> None:
    page.locator("#tool-profile").click()
    sheet = page.get_by_role("dialog", name="Profile")
    sheet.get_by_label("Who you are here").fill("hal")
    sheet.get_by_role("button", name="Change").click()
    sheet.get_by_text("3 things done").wait_for()
    sheet.get_by_label("What kind").last.fill("Comedy")
    sheet.get_by_role("button", name="Add").click()
    sheet.get_by_role("button", name="Lock Comedy").click()
    sheet.get_by_role("button", name="Unlock Comedy").wait_for()
    assert page_agent.store.profiles.get("hal").likes[0].locked  # type: ignore[arg-type]
    assert sheet.get_by_role("button", name="Remove Comedy").is_disabled()
    sheet.get_by_label("What kind").last.fill("Comedi")
    sheet.get_by_role("button", name="Add").click()
    assert "comedy" in sheet.get_by_role("alert").inner_text(), "what was meant is said"
    sheet.get_by_role("button", name="Unlock Comedy").click()
    sheet.get_by_role("button", name="Lock Comedy").wait_for()
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Take it all along").click()
    exported = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [like["value"] for like in exported["profile"]["likes"]] == ["comedy"]
    sheet.get_by_role("button", name="Remove Comedy").click()
    sheet.get_by_role("button", name="Remove Comedy").wait_for(state="detached")
    assert page_agent.store.profiles.get("hal").likes == ()  # type: ignore[arg-type]
    sheet.get_by_role("button", name="Have it all forgotten").click()
    sheet.get_by_role("button", name="Yes, forget everything").click()
    sheet.wait_for(state="detached")
    assert page_agent.store.events.of_user("hal") == []  # type: ignore[arg-type]


def test_the_graph_and_what_is_behind_a_turn(page: Page, page_agent: Agent) -> None:
    say(page, "only films please")
    answered(page)
    name = titles(page)[0]
    page.locator("[data-act=graph]").first.click()
    sheet = page.get_by_role("dialog", name=name)
    sheet.locator("svg.graph .node.centre", has_text=re.compile(re.escape(name[:10]))).wait_for()
    other = sheet.locator(".node.link").first
    chosen = other.get_attribute("aria-label")
    other.focus()
    page.keyboard.press("Enter")
    assert chosen is not None
    page.get_by_role("dialog", name=chosen.removeprefix("What is around ")).wait_for()
    page.keyboard.press("Escape")
    page.locator("#tool-developer").click()
    sheet = page.get_by_role("dialog", name="Behind this turn")
    (turn,) = turns(page_agent, page)
    assert sheet.locator(".calls li").count() == len(turn["plan"])
    assert sheet.locator(".part").count() >= len(turn["timings_ms"]) - 1
    assert json.loads(sheet.locator(".record").text_content() or "")["turn_id"] == turn["turn_id"]


def test_chinese_and_the_theme(page: Page) -> None:
    page.locator("#tool-language").click()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    say(page, "周末想在家看一部轻松的喜剧电影")
    entry = answered(page)
    assert "推荐" in entry.locator(".reply").inner_text()
    assert page.locator(".card .act").first.inner_text() == "再来类似的"
    page.locator(".card").nth(1).locator("[data-act=why]").click()
    assert "第2个" in answered(page, 2).locator(".reply").inner_text()
    tables = page.evaluate("import('/web/strings.js').then(m => m.languages().map(name => (m.speak(name), m.words())))")
    english, chinese = (set(table) for table in tables)
    assert english <= chinese
    colours = []
    for _ in range(3):
        page.locator("#tool-theme").click()
        colours.append(
            (page.evaluate("document.documentElement.dataset.theme"), page.evaluate("getComputedStyle(document.body).backgroundColor"))
        )
    assert [theme for theme, _ in colours] == ["light", "dark", "auto"]
    assert colours[0][1] == colours[2][1] != colours[1][1]
    page.reload()
    answered(page, 2)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"


def test_a_busy_server_is_waited_for(browser: Browser, page_agent: Agent) -> None:
    app = create_app(page_agent, limits=replace(Limits(), running=1, waiting=0))
    with listening(app) as address, opened(browser, address) as first, opened(browser, address) as second, slower(page_agent, 1.5):
        say(first, WISH)
        first.locator(".progress").wait_for()
        say(second, WISH)
        troubled(second, "The server is busy")
        answered(first)
        answered(second)
        assert len(turns(page_agent, second)) == 1
