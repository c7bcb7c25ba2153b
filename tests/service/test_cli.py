"""The command line: what it prints, and what it ends with."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result
from worlds import write_jsonl

from scenewise import Agent, Settings, Store
from scenewise.service.cli import app

Run = Callable[..., Result]
Read = Callable[..., Any]


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All commands of the command line, as words."""
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


COMMANDS = list(commands(typer.main.get_command(app)))


def test_these_are_the_commands() -> None:
    assert {" ".join(words) for words in COMMANDS} == {
        *("graph", "graph ask", "graph show", "graph path", "graph bridge", "graph stats", "graph export"),
        *("graph build", "graph merges", "graph unmerge"),
        *("user", "user show", "user export", "user forget", "user link", "user unlink", "user lock"),
        *("user like", "user dislike", "user remove"),
        *("train planner", "train writer", "train extractor", "train language", "train average", "train gate"),
        *("serve", "keys", "keys add", "keys list", "keys remove"),
        *("item", "item put", "item delete", "item show"),
        *(
            "",
            "demo",
            "ingest",
            "chat",
            "recommend",
            "train",
            "reindex",
            "doctor",
            "items",
            "scenes",
            "turns",
            "turns replay",
            "turns show",
            "places",
            "copy",
            "mcp",
        ),
        *("llm", "llm fetch", "llm start", "llm stop", "llm status", "llm probe"),
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_for_itself_and_each_option(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        words
        for words in COMMANDS
        if words not in ((), ("llm",), ("graph",), ("item",), ("user",), ("keys",), ("turns",), ("serve",), ("mcp",))
    ],
    ids=" ".join,
)
def test_every_command_takes_json(run: Run, words: tuple[str, ...]) -> None:
    assert "--json" in run(*words, "--help").stdout


def test_version(run: Run) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, importlib.metadata.version("scenewise") + "\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("recommend", "--nonsense"),
        ("recommend", "-k", "0"),
        ("recommend", "-k", "101"),
        ("recommend", "-k", "many"),
        ("recommend", "--minutes", "0"),
        ("recommend", "--minutes", "soon"),
        ("items", "-k", "0"),
        ("items", "-k", "99999999999999999999"),
        ("ingest",),
        ("turns", "show"),
        ("turns", "replay"),
        ("llm", "start", "--port", "http"),
    ],
)
def test_a_bad_option_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr


def test_recommend_prints_the_turn_as_json(read: Read, own_store: Path) -> None:
    shown = read("recommend", "--store", own_store, "--user", "ann", "--scene", "date night")
    assert shown["scene"] == "date night"
    assert shown["user_id"] == "ann"
    assert len(shown["items"]) == 5
    assert {"title", "domain", "score", "reason", "copy", "copy_source", "claims", "evidence", "contributions"} <= shown["items"][0].keys()
    assert shown["llm_rounds"] == 0
    assert shown["degraded"] == []
    kept = read("turns", "show", shown["turn_id"], "--store", own_store)
    assert kept["items"] == shown["items"]


def test_recommend_reads_text_and_moment(read: Read, own_store: Path) -> None:
    moment = ("--device", "phone", "--time", "08:10", "--place", "train@22", "--minutes", "30")
    shown = read("recommend", "--store", own_store, "--user", "dan", "--text", "on my way to work", *moment, "-k", "3")
    assert shown["scene"] == "commute"
    assert {name for name, _, _ in shown["signals"]} >= {"device", "time", "place"}
    assert len(shown["items"]) == 3
    with Store.open(own_store, read_only=True) as store:
        for item in shown["items"]:
            minutes = store.items.get(item["item_id"]).duration_min
            assert item["domain"] in ("books", "music", "courses") or minutes is None or minutes <= 30


def test_recommend_for_people(run: Run, own_store: Path) -> None:
    result = run("recommend", "--store", own_store, "--user", "ann", "--text", "only films please", "-k", "2")
    assert result.exit_code == 0
    for word in ("scene", "plan", "collaborative_candidates", "score", "(template)", "time", "no LLM"):
        assert word in result.stdout
    assert "Traceback" not in result.output


def test_recommend_in_chinese(read: Read, own_store: Path) -> None:
    shown = read("recommend", "--store", own_store, "--user", "ann", "--scene", "party", "--locale", "zh", "-k", "1")
    assert any("\u4e00" <= char <= "\u9fff" for char in shown["reply"])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--time", "25:00"),
        ("--time", "soon"),
        ("--time", "1999-01-01T10:00"),
        ("--place", "91,0"),
        ("--place", "home@fast"),
        ("--user", " "),
    ],
)
def test_an_impossible_moment_ends_with_2(read: Read, own_store: Path, option: str, value: str) -> None:
    shown = read("recommend", "--store", own_store, option, value, code=2)
    assert shown.keys() == {"error", "exit_code"}
    assert shown["exit_code"] == 2


def test_a_bad_option_is_said_before_the_store_is_opened(read: Read, tmp_path: Path) -> None:
    read("recommend", "--store", tmp_path / "nothing", "--time", "25:00", code=2)


def test_what_is_not_there_ends_with_3(read: Read, own_store: Path, tmp_path: Path) -> None:
    assert "date night" in read("recommend", "--store", own_store, "--scene", "date nigth", code=3)["error"]
    assert "scenewise" in read("recommend", "--store", tmp_path / "nothing", code=3)["error"]
    read("items", "--item", "no such item", "--store", own_store, code=3)
    read("turns", "show", "no such turn", "--store", own_store, code=3)
    read("scenes", "no such scene", "--store", own_store, code=3)
    read("scenes", "--file", tmp_path / "none.toml", "--store", own_store, code=3)
    read("ingest", tmp_path / "none.csv", "--store", own_store, code=3)
    read("items", "--store", tmp_path / "nothing", code=3)
    read("reindex", "--store", tmp_path / "nothing", code=3)
    assert not (tmp_path / "nothing").exists()


def test_a_store_that_another_process_holds_ends_with_5(read: Read, own_store: Path) -> None:
    hold = "import sys; from scenewise import Store\nwith Store.open(sys.argv[1], purpose='a test'): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(own_store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for words in (
            ("recommend",),
            ("reindex",),
            ("ingest", write_jsonl(own_store / "a.jsonl", [{"item_id": "a", "title": "A"}]), "--domain", "movies"),
        ):
            shown = read(*words, "--store", own_store, code=5)
            assert f"process {holder.pid}" in shown["error"]
            assert "a test" in shown["error"]
        assert read("items", "-k", "1", "--store", own_store)  # reading goes on
        holder.communicate("")


def test_a_damaged_store_ends_with_7(read: Read, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "store.sqlite").write_bytes(b"no database" * 1000)
    read("recommend", "--store", tmp_path / "bad", code=7)
    read("items", "--store", tmp_path / "bad", code=7)


def test_a_file_for_a_store_is_one_sentence(read: Read, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    rows = write_jsonl(tmp_path / "rows.jsonl", [{"item_id": "a", "title": "A", "domain": "movies"}])
    assert read("ingest", rows, "--store", tmp_path / "file", code=7)["error"]


@pytest.mark.parametrize(
    ("name", "value"), [("SCENEWISE_DEADLINE_S", "soon"), ("SCENEWISE_TOOL_DETAIL", "huge"), ("SCENEWISE_PLAN_TOKENS", "1")]
)
def test_a_wrong_setting_is_named(read: Read, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert name.removeprefix("SCENEWISE_").lower() in read("llm", "status", code=2)["error"]


def test_a_home_that_cannot_be_made_is_one_sentence(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCENEWISE_HOME", str(tmp_path / "file"))
    assert str(tmp_path / "file") in read("llm", "fetch", code=1)["error"]


def test_items(read: Read, run: Run, small_store: Path) -> None:
    assert len(read("items", "--store", small_store)) == 20
    assert {row["domain"] for row in read("items", "--domain", "recipes", "--store", small_store)} == {"recipes"}
    found = read("items", "Casablanca", "--store", small_store)
    assert [row["item_id"] for row in found] == ["film-casablanca"]
    (one,) = read("items", "--item", "film-fargo", "--store", small_store)
    assert (one["title"], one["attributes"]["genre"]) == ("Fargo", ["Crime", "Drama", "Thriller"])
    assert read("items", "qqqqqq", "--store", small_store) == []
    assert read("items", "'\"*(", "--store", small_store) == []
    shown = run("items", "Casablanca", "--store", small_store).stdout
    assert "film-casablanca" in shown
    assert "creator: Michael Curtiz" in shown


def test_hostile_titles_are_shown_as_text(run: Run, tmp_path: Path) -> None:
    titles = [
        "[red]Red[/red]",
        "[link=http://evil.example]x[/link]",
        "[/b]",
        ":heart: :warning:",
        "back\\",
        "a\x1b[2Jb\x1b]8;;http://evil\x07c",
        "\u202egnp.exe",
    ]
    rows = [{"item_id": f"i{i}[/]", "domain": "movies", "title": title, "genre": ["[bold]x"]} for i, title in enumerate(titles)]
    assert run("ingest", write_jsonl(tmp_path / "[b]rows[].jsonl", list(rows)), "--store", tmp_path / "store").exit_code == 0
    shown = run("items", "--store", tmp_path / "store").stdout
    for title in titles[:5]:
        assert f" {title} " in shown
    assert "back\\\\" not in shown
    assert "i0[/]" in shown
    assert "genre: [bold]x" in shown
    assert not any(char in shown for char in "\x1b\x07\u202e")


def test_scenes(read: Read, run: Run, small_store: Path) -> None:
    names = [scene["name"] for scene in read("scenes", "--store", small_store)]
    assert {"commute", "date night", "workout", "bedtime"} <= set(names)
    (one,) = read("scenes", "commute", "--store", small_store)
    assert one["domains"]["music"] > 1
    assert "phone" in one["device"]
    assert "commute" in run("scenes", "--store", small_store).stdout
    reading = read("scenes", "--text", "on the train to work", "--device", "phone", "--store", small_store)
    assert reading["scene"] == "commute"
    assert sum(reading["probabilities"].values()) == pytest.approx(1.0, abs=1e-6)
    assert abs(sum(abs(signal["share"]) for signal in reading["signals"]) - 1) < 1e-6
    assert "commute" in run("scenes", "--text", "on the train to work", "--store", small_store).stdout
    assert read("scenes", "--time", "noonish", "--store", small_store, code=2)


SCENE = '[scene.gaming]\ndescription = "Playing online"\nexamples = ["raid night with my guild", "gaming with friends"]\n'


def test_a_scene_file_can_be_checked_and_taken_in(read: Read, tmp_path: Path) -> None:
    file = tmp_path / "scenes.toml"
    file.write_text(SCENE)
    assert [scene["name"] for scene in read("scenes", "--file", file)] == ["gaming"]
    report = read("ingest", file, "--store", tmp_path / "store")
    assert report["kind"] == "scenes"
    assert [scene["name"] for scene in read("scenes", "--store", tmp_path / "store")] == ["gaming"]
    file.write_text(SCENE.replace("examples", "exmples"))
    for words in (
        ("scenes", "--file", file),
        ("ingest", file, "--store", tmp_path / "store"),
        ("ingest", file, "--dry-run", "--store", tmp_path / "store"),
    ):
        error = read(*words, code=2)["error"]
        assert "scenes.toml:3" in error
        assert "did you mean 'examples'" in error
    assert [scene["name"] for scene in read("scenes", "--store", tmp_path / "store")] == ["gaming"]


def test_ingest_reads_columns_by_map_and_domain(read: Read, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("sku,naam,soort\na1,First,Drama\na2,Second,Comedy\n")
    words = (
        "ingest",
        file,
        "--map",
        "item_id=sku",
        "--map",
        "title=naam",
        "--map",
        "attributes.genre=soort",
        "--domain",
        "movies",
        "--kind",
        "items",
    )
    preview = read(*words, "--dry-run", "--store", tmp_path / "store")
    assert preview["columns"] == {"item_id": "sku", "title": "naam", "attributes.genre": "soort"}
    assert not (tmp_path / "store").exists()
    first = read(*words, "--store", tmp_path / "store")
    assert (first["read"], first["written"], first["unchanged"], first["quarantined"]) == (2, 2, 0, {})
    again = read(*words, "--store", tmp_path / "store")
    assert (again["read"], again["written"], again["unchanged"]) == (2, 0, 2)
    shown = run(*words, "--store", tmp_path / "store")
    assert "item_id <- sku" in shown.stdout
    assert "2 rows read: 0 written, 2 unchanged" in shown.stdout
    items = read("items", "--store", tmp_path / "store")
    assert [(row["item_id"], row["domain"], row["title"], row["attributes"]) for row in items] == [
        ("a1", "movies", "First", {"genre": ["Drama"]}),
        ("a2", "movies", "Second", {"genre": ["Comedy"]}),
    ]


@pytest.mark.parametrize("wrong", ["item_id", "=sku", "item_id=", "item_id=nothere", "nofield=sku"])
def test_a_wrong_map_ends_with_2(read: Read, tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("sku,title\na1,First\n")
    assert read("ingest", file, "--map", wrong, "--domain", "movies", "--kind", "items", "--store", tmp_path / "store", code=2)["error"]


def test_bad_rows_end_with_9_and_are_kept_with_their_line(read: Read, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "films.csv"
    file.write_text("item_id,title,year,price\na1,First,1999,\n,No id,1999,\na3,Odd year,19x9,\na4,Fine,2001,\na5,Bad price,2002,-3\n")
    shown = read("ingest", file, "--domain", "movies", "--store", tmp_path / "store", code=9)
    assert (shown["read"], shown["written"], shown["quarantined"]) == (5, 3, {"missing id": 1, "negative price": 1})
    rows = [json.loads(line) for line in Path(shown["quarantine_path"]).read_text().splitlines()]
    assert [row["line"] for row in rows] == [3, 6]
    result = run("ingest", file, "--domain", "movies", "--store", tmp_path / "store")
    assert result.exit_code == 9
    assert "2 in quarantine" in result.stdout
    assert "missing id" in result.stdout
    assert "1 rows have no year" in result.stdout


def test_ingest_of_events_changes_the_next_list(read: Read, own_store: Path, tmp_path: Path) -> None:
    file = tmp_path / "seen.csv"
    file.write_text("user,item,rating,time\nnova,film-fargo,5,1700000000\nnova,film-psycho,5,1700000001\n")
    report = read("ingest", file, "--kind", "events", "--map", "user_id=user", "--map", "item_id=item", "--store", own_store)
    assert report["written"] == 2
    shown = read("recommend", "--store", own_store, "--user", "nova", "--text", "only films please", "-k", "10")
    ids = [item["item_id"] for item in shown["items"]]
    assert "film-vertigo" in ids
    assert not {"film-fargo", "film-psycho"} & set(ids)


def test_reindex_rebuilds_what_is_cached(read: Read, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"item_id": f"b{i}", "domain": "books", "title": f"Book {i}", "genre": ["Essay"]} for i in range(3)]
    read("ingest", write_jsonl(tmp_path / "books.jsonl", rows), "--store", tmp_path / "store")
    stale = tmp_path / "store" / "cache" / "stale"
    stale.mkdir(parents=True)
    report = read("reindex", "--store", tmp_path / "store")
    assert report["items"] == 3
    assert report["nodes"] > 3
    assert not stale.exists()
    assert any((tmp_path / "store" / "cache").iterdir())


def test_doctor_names_what_is_missing_and_the_way_out(read: Read, run: Run) -> None:
    shown = {finding["name"]: finding for finding in read("doctor", code=1)}
    assert {"python", "compiler", "disk", "packages", "gpu", "vLLM", "model", "LLM server", "store", "trained models"} == shown.keys()
    assert shown["python"]["ok"]
    assert shown["packages"]["ok"]
    assert not shown["vLLM"]["ok"]
    assert "scenewise llm fetch" in shown["vLLM"]["message"]
    assert "scenewise" in shown["store"]["message"]
    result = run("doctor")
    assert result.exit_code == 1
    assert "no  vLLM" in result.stdout


def test_doctor_says_how_large_the_store_is_and_that_a_server_is_silent(
    read: Read, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENEWISE_STORE", str(small_store))
    monkeypatch.setenv("SCENEWISE_LLM_URL", "http://127.0.0.1:9/v1")
    shown = {finding["name"]: finding for finding in read("doctor", code=1)}
    assert shown["store"]["ok"]
    assert "8 users" in shown["store"]["message"]
    assert not shown["LLM server"]["ok"]


def test_chat_takes_a_message_a_line(run: Run, own_store: Path) -> None:
    said = "only films please\n\n" + "x" * 10_000 + "\nwhy the second one?\n"
    result = run("chat", "--store", own_store, "--user", "eve", "--no-llm", "--json", said=said)
    assert result.exit_code == 0
    assert "8,000" in result.stderr
    turns = list(documents(result.stdout))
    assert [turn["intent"] for turn in turns] == ["recommend", "explain"]
    assert turns[0]["conversation_id"] == turns[1]["conversation_id"]
    assert [item["item_id"] for item in turns[1]["items"]] == [turns[0]["items"][1]["item_id"]]
    later = run(
        "chat",
        "--store",
        own_store,
        "--user",
        "eve",
        "--no-llm",
        "--json",
        "--conversation",
        turns[0]["conversation_id"],
        said="why the first one?",
    )
    (why,) = documents(later.stdout)
    assert [item["item_id"] for item in why["items"]] == [turns[0]["items"][0]["item_id"]]
    other = run(
        "chat", "--store", own_store, "--user", "ann", "--no-llm", "--json", "--conversation", turns[0]["conversation_id"], said="why?"
    )
    assert other.exit_code == 4


def test_chat_takes_any_bytes(run: Run, own_store: Path) -> None:
    result = run("chat", "--store", own_store, "--no-llm", "--no-details", said=b"\xff\xfe\n\x00\x1b[2J a film\nthanks")
    assert result.exit_code == 0
    assert "welcome" in result.stdout
    assert "\x1b" not in result.stdout


def test_chat_with_nothing_said_ends_well(run: Run, own_store: Path) -> None:
    assert run("chat", "--store", own_store, "--no-llm", said="").exit_code == 0


def documents(text: str) -> Iterator[dict[str, Any]]:
    """The JSON documents that stand one after another in a text."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        found, end = decoder.raw_decode(text, place)
        yield found
        place = end + (len(text[end:]) - len(text[end:].lstrip()))


def test_the_installed_command_works_from_any_folder(small_store: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scenewise", "items", "--item", "film-fargo", "--store", str(small_store), "--json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)[0]["title"] == "Fargo"
    assert result.stderr == ""


@pytest.mark.slow
def test_a_reader_that_leaves_early_gets_no_traceback(small_store: Path) -> None:
    command = [sys.executable, "-m", "scenewise", "items", "--store", str(small_store), "--json", "-k", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_eval_is_offered_by_its_entry_point() -> None:
    result = subprocess.run([sys.executable, "-m", "scenewise", "eval", "--help"], capture_output=True, text=True, check=True)
    assert "Usage" in result.stdout


@pytest.mark.slow
def test_ctrl_c_ends_with_130(own_store: Path) -> None:
    import signal

    command = [sys.executable, "-m", "scenewise", "chat", "--no-llm", "--store", str(own_store), "--no-details"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write("thanks\n")
    process.stdin.flush()
    # The chat reads its input in blocks, so what it answers comes later; the lock says that it is there.
    while "agent" not in (own_store / "store.lock").read_text() if (own_store / "store.lock").exists() else True:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    shown, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said + shown


def test_a_turn_of_python_is_shown_to_a_person_and_as_json(run: Run, read: Read, own_store: Path) -> None:
    with Agent.open(own_store, settings=Settings(llm_off=True), clock=lambda: 1_760_000_000.0) as agent:
        turn = agent.turn("only [red]films[/] please", "ann")
    assert read("turns", "show", turn.turn_id, "--store", own_store)["reply"] == turn.reply
    shown = run("turns", "show", turn.turn_id, "--explain", "--store", own_store).stdout
    assert shown.startswith("only [red]films[/] please\nann, 2025-10-09")
    for told in ("scene   ", "plan    ", "time    ", "score = ", *(part for item in turn.items for part in (item.title, item.domain))):
        assert told in shown


def test_scenes_train_and_a_changed_file_trains_anew(read: Read, run: Run, own_store: Path) -> None:
    kept = own_store / "cache" / "scenes" / "scenes.safetensors"
    own = own_store / "scenes.toml"
    head = 'no_scene = ["anything"]\n[scene.gaming]\ndescription = "playing"\nexamples = [%s]\n[scene.garden]\ndescription = "outside"\nexamples = ["weeding"]\n'
    own.write_text(head % '"one more level", "boss fight"', encoding="utf-8")
    report = read("scenes", "train", "--store", own_store)
    assert (report["scenes"], report["tuned"]) == (2, True)
    assert report["examples"] == 6  # with each scene's description, and one of none
    first = kept.read_bytes()
    assert read("scenes", "--text", "one more level", "--store", own_store)["scene"] == "gaming"
    assert kept.read_bytes() == first
    own.write_text(head % '"one more level", "boss fight", "co-op tonight"', encoding="utf-8")
    read("scenes", "--text", "co-op tonight", "--store", own_store)
    assert kept.read_bytes() != first
    assert "learned 7 examples of 2 scenes" in run("scenes", "train", "--store", own_store).stdout


def test_places_are_named_listed_used_and_forgotten(read: Read, run: Run, own_store: Path) -> None:
    mine = ("--user", "ann", "--store", own_store)
    (place,) = read("places", "my gym", "--at", "48.13721,11.57612", "--radius", "200", *mine)
    assert place == {"name": "my gym", "type": "gym", "latitude": 48.1372, "longitude": 11.5761, "radius_m": 200}
    assert "my gym  gym" in run("places", *mine).stdout
    shown = read("recommend", "--text", "songs", "--place", "48.1375,11.5765", *mine)
    assert ["place", "gym"] in [[name, value] for name, value, _ in shown["signals"]]
    assert read("places", "my gym", "--forget", *mine) == []
    read("places", "my gym", "--forget", *mine, code=3)
    read("places", "home", *mine, code=2)
    read("places", "home", "--at", "nowhere", *mine, code=2)


def test_network_and_weather_are_signals(read: Read, own_store: Path) -> None:
    shown = read("recommend", "--store", own_store, "--text", "songs", "--network", "offline", "--weather", "Rain")
    assert {(name, value) for name, value, _ in shown["signals"]} >= {("network", "offline"), ("weather", "rain")}
    assert "wifi, cellular, offline" in read("recommend", "--store", own_store, "--network", "pigeon", code=2)["error"]
    assert "sunny" in read("recommend", "--store", own_store, "--weather", "frogs", code=2)["error"]


def test_a_turn_is_replayed(run: Run, read: Read, own_store: Path) -> None:
    turn = read("recommend", "--text", "a funny film", "--store", own_store)
    again = read("turns", "replay", turn["turn_id"], "--store", own_store)
    assert again["differs"] == []
    assert again["now"]["items"] == again["before"]["items"]
    assert "as it was" in run("turns", "replay", turn["turn_id"], "--no-llm", "--store", own_store).output
    run("item", "delete", turn["items"][0]["item_id"], "--store", own_store)
    told = run("turns", "replay", turn["turn_id"], "--store", own_store).output
    assert "differs: " in told
    assert f"before: {turn['items'][0]['title']}" in told
