from __future__ import annotations

from pathlib import Path

import pytest

from scenewise.store.errors import InputError, NotFound
from scenewise.tools.scene.pack import default_pack, load_pack, parse_pack

HEAD = '# a comment\n[scene.commute]\ndescription = "on the way"\nexamples = [\n  "on the train",\n  "坐地铁",\n]\n'
DOMAINS = {"movies", "books", "music", "recipes", "workouts", "courses", "apps"}
MOVIE_GENRES = (
    {"Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir"}
    | {"Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"}
)  # fmt: skip
MOODS = (
    {"calm", "cosy", "dark", "dreamy", "energetic", "epic", "focused", "funny", "hopeful", "intense", "melancholic"}
    | {"playful", "reflective", "romantic", "suspenseful", "tender", "uplifting", "warm"}
)  # fmt: skip


def test_a_scene_is_read_with_every_key() -> None:
    pack = parse_pack(
        HEAD
        + """
also_said = ["a thriller for the way home"]
device = ["Phone"]
hours = ["7:30-9", "22-2"]
weekdays = ["workdays", "Sat"]
places = ["train"]
speed_mps = [3, 40.5]
domains = { Movies = 0, music = 1.5 }
prefer.mood = ["calm"]
ban = { genre = ["Horror", "War"] }
max_duration_min = 45
"""
    )
    scene = pack.get("commute")
    assert (scene.name, scene.description, scene.examples) == ("commute", "on the way", ("on the train", "坐地铁"))
    assert scene.also_said == ("a thriller for the way home",)
    assert (scene.device, scene.places) == (("phone",), ("train",))
    assert scene.hours == ((7.5, 9.0), (22.0, 2.0))
    assert scene.weekdays == (0, 1, 2, 3, 4, 5)
    assert scene.speed_mps == (3.0, 40.5)
    assert dict(scene.domains) == {"movies": 0.0, "music": 1.5}
    assert (dict(scene.prefer), dict(scene.ban)) == ({"mood": ("calm",)}, {"genre": ("Horror", "War")})
    assert scene.max_duration_min == 45.0


def test_what_is_left_out_is_empty() -> None:
    scene = parse_pack(HEAD).get("commute")
    assert (scene.device, scene.hours, scene.weekdays, scene.places, scene.speed_mps) == ((), (), (), (), None)
    assert (dict(scene.domains), dict(scene.prefer), dict(scene.ban), scene.max_duration_min) == ({}, {}, {}, None)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ('exmples = ["x"]', "scenes.toml:8: unknown key 'exmples' in scene 'commute'; did you mean 'examples'?"),
        ('prefr.mood = ["x"]', "scenes.toml:8: unknown key 'prefr' in scene 'commute'; did you mean 'prefer'?"),
        ('\n[scene.commute.bann]\ngenre = ["x"]', "scenes.toml:9: unknown key 'bann' in scene 'commute'; did you mean 'ban'?"),
        ('device = "phone"', "scenes.toml:8: 'device' in scene 'commute' must be a list of texts"),
        ("device = [1]", "scenes.toml:8: 'device' in scene 'commute' must be a text that is not empty"),
        ('hours = ["25-3"]', "scenes.toml:8: 'hours' in scene 'commute' has '25-3': hours are written"),
        ('hours = ["7-7"]', "scenes.toml:8: 'hours' in scene 'commute' has '7-7': hours are written"),
        ('hours = ["7:75-9"]', "scenes.toml:8: 'hours' in scene 'commute' has '7:75-9': hours are written"),
        ('hours = ["7"]', "scenes.toml:8: 'hours' in scene 'commute' has '7': hours are written"),
        ('\n\nweekdays = ["mondy"]', "scenes.toml:10: 'weekdays' in scene 'commute' has 'mondy'"),
        (
            "speed_mps = [9, 3]",
            "scenes.toml:8: 'speed_mps' in scene 'commute' must be [least, most] in metres a second, least first",
        ),
        ("speed_mps = 3", "scenes.toml:8: 'speed_mps' in scene 'commute' must be [least, most]"),
        ("domains = { movies = -1 }", "scenes.toml:8: 'domains' in scene 'commute' at 'movies' must be a number of at least 0"),
        ("domains = { movies = nan }", "scenes.toml:8: 'domains' in scene 'commute' at 'movies' must be a number of at least 0"),
        ('ban.genre = "Horror"', "scenes.toml:8: 'ban' in scene 'commute' at 'genre' must be a list of texts"),
        ("max_duration_min = true", "scenes.toml:8: 'max_duration_min' in scene 'commute' must be a number of at least 1"),
        ("[scene.commute]", "scenes.toml:8: duplicate scene 'commute'"),
        ('[scene.none]\ndescription = "x"', "scenes.toml:8: a scene cannot be named 'none'"),
        ('[scene."Date Night"]\ndescription = "x"', "scenes.toml:8: a scene cannot be named 'Date Night'"),
        ('[scene.b]\ndescription = "x"', "scenes.toml:8: scene 'b' needs 'examples'"),
        ("[scne.b]\nx = 1", "scenes.toml:8: unknown key 'scne'; did you mean 'scene'?"),
        ("device = ", "scenes.toml:8: this is not TOML: Invalid value"),
        ("device = [\n  'phone',", "scenes.toml:9: this is not TOML"),
    ],
)
def test_an_error_names_the_line_and_the_way_out(added: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_pack(HEAD + added)
    assert str(raised.value).startswith(message)


def test_a_key_is_looked_for_in_its_own_scene() -> None:
    second = '[scene.second]\ndescription = "x"\nexamples = ["x"]\ndevice = [3]\n'
    with pytest.raises(InputError, match=r"^scenes\.toml:12: 'device' in scene 'second'"):
        parse_pack(HEAD + 'device = ["phone"]\n' + second)


def test_an_empty_file_has_no_scene() -> None:
    with pytest.raises(InputError, match="there is no scene: write one"):
        parse_pack("# nothing yet\n")


def test_the_file_name_is_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(NotFound, match=r"no scene file mine\.toml"):
        load_pack(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"mine\.toml: cannot be read as UTF-8"):
        load_pack(path)
    path.write_text(HEAD + "hours = 3", encoding="utf-8")
    with pytest.raises(InputError, match=r"^mine\.toml:8: "):
        load_pack(path)
    path.write_text(HEAD, encoding="utf-8")
    assert load_pack(str(path)).names == ("commute",)


def test_the_version_changes_with_what_is_said_and_not_with_comments() -> None:
    version = parse_pack(HEAD).version
    assert parse_pack(HEAD + "\n# more\n").version == version
    assert parse_pack(HEAD.replace("坐地铁", "坐公交")).version != version


def test_an_unknown_scene_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="did you mean 'date night'"):
        default_pack().get("datenight")


def test_the_pack_that_ships() -> None:
    pack = default_pack()
    assert len(pack.names) == 14
    for scene in pack.scenes:
        chinese = sum(any("一" <= char <= "鿿" for char in text) for text in scene.examples)
        assert 12 <= len(scene.examples) - chinese <= 20
        assert 12 <= chinese <= 20
        assert set(scene.domains) == DOMAINS
        for table in (scene.prefer, scene.ban):
            assert {genre for genre in table.get("genre", ()) if genre != genre.casefold()} <= MOVIE_GENRES
            assert set(table.get("mood", ())) <= MOODS
        assert not {(key, value) for key in scene.prefer for value in scene.prefer[key] if value in scene.ban.get(key, ())}
    said = [text for scene in pack.scenes for text in (*scene.examples, *scene.also_said)]
    assert len(set(said)) == len(said)


def test_what_the_scenes_that_ship_must_say() -> None:
    pack = default_pack()
    family, commute = pack.get("family evening"), pack.get("commute")
    assert "Horror" in family.ban["genre"]
    assert min(commute.domains[name] for name in ("music", "books", "courses", "apps")) > 4 * commute.domains["movies"]
    low = pack.get("feeling low")
    assert (low.device, low.hours, low.weekdays, low.places, low.speed_mps) == ((), (), (), (), None)
