"""Each format in the smallest form that shows all of it; "auto" must find it by itself."""

from __future__ import annotations

import gzip
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.io import savemat

from scenewise.eval.data import FORMATS, read
from scenewise.eval.dataset import TEST, TRAIN, VALIDATION, Codes, Dataset
from scenewise.store.errors import InputError, NotFound
from scenewise.store.store import Store
from scenewise.store.types import Edge, Event, Item, ItemId, UserId


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return folder


def events(dataset: Dataset) -> list[tuple[str, str, float]]:
    """(user, item, value) in order; a missing value is -1."""
    arrays = dataset.arrays
    values = np.nan_to_num(arrays.value, nan=-1.0).tolist()
    users, items = arrays.user.tolist(), arrays.item.tolist()
    return [(str(arrays.user_ids[user]), str(arrays.item_ids[item]), value) for user, item, value in zip(users, items, values, strict=True)]


def words(codes: Codes) -> list[str | None]:
    return [None if code < 0 else codes.names[code] for code in codes.code.tolist()]


def item(dataset: Dataset, item_id: str) -> Item:
    return next(one for one in dataset.catalogue.items if one.item_id == item_id)


def triples(dataset: Dataset) -> list[tuple[str, str, str]]:
    graph = dataset.graph
    assert graph is not None
    columns = zip(graph.heads.tolist(), graph.relations.tolist(), graph.tails.tolist(), strict=True)
    return [(graph.entities[head], graph.relation_names[relation], graph.entities[tail]) for head, relation, tail in columns]


def entities(dataset: Dataset) -> dict[str, str]:
    """The entity of each item that has one."""
    graph = dataset.graph
    assert graph is not None
    pairs = zip(dataset.arrays.item_ids, graph.entity_of_item.tolist(), strict=True)
    return {str(one): graph.entities[entity] for one, entity in pairs if entity >= 0}


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_sequences(tmp_path: Path, ending: str) -> None:
    write(tmp_path, {f"Toys.txt{ending}": "7 30 4 30\n2 5\n", f"Toys_item2attributes.json{ending}": json.dumps({"4": [9, 8], "99": [1]})})
    for path in (tmp_path, tmp_path / f"Toys.txt{ending}"):
        data = read(path)
        assert data.name == "Toys"
        assert events(data) == [("7", "30", -1), ("7", "4", -1), ("7", "30", -1), ("2", "5", -1)]
        assert data.arrays.time_s.tolist() == [0, 1, 2, 0]
        assert data.arrays.item_ids == ("30", "4", "5")
        assert item(data, "4").attributes == {"attribute": ("9", "8")}
        assert data.ordered


RECBOLE = {
    "m.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\nb\t1\t4\t70\na\t2\t2.5\t60\n",
    "m.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tstudio:token\n"
    '1\tThe "Sting"\t1973\tComedy Crime\tUniversal\n2\tAmelie\t\tComedy\t\n3\tNever seen\t1990\t\t\n',
    "m.user": "user_id:token\tage:float\tweight:float\tjob:token\na\t30\t60.5\twriter\n",
    "m.kg": "head_id:token\trelation_id:token\ttail_id:token\ne1\tby\tp\ne2\tby\tp\n",
    "m.link": "item_id:token\tentity_id:token\n1\te1\n2\te2\n",
}


def test_recbole(tmp_path: Path) -> None:
    data = read(write(tmp_path, RECBOLE))
    assert events(data) == [("b", "1", 4), ("a", "2", 2.5)]
    assert data.arrays.time_s.tolist() == [70, 60]
    assert data.arrays.item_ids == ("1", "2")
    assert item(data, "1").title == 'The "Sting"'
    assert item(data, "1").year == 1973
    assert item(data, "1").attributes == {"genre": ("Comedy", "Crime"), "studio": ("Universal",)}
    assert item(data, "2").year is None
    assert {name: words(codes) for name, codes in data.context.items()} == {"age": [None, "30"], "job": [None, "writer"]}
    assert data.numbers["weight"].tolist() == [pytest.approx(math.nan, nan_ok=True), 60.5]
    assert triples(data) == [("e1", "by", "p"), ("e2", "by", "p")]
    assert entities(data) == {"1": "e1", "2": "e2"}


def test_links_that_hold_the_ids_of_another_set_are_joined_over_titles(tmp_path: Path) -> None:
    write(tmp_path, RECBOLE | {"m.link": "item_id:token\tentity_id:token\n900\te1\n1\te2\n"})
    write(tmp_path, {"other/movies.csv": 'movieId,title,genres\n900,"sting, The (1973)",Crime\n1,Alien (1979),Horror\n'})
    assert entities(read(tmp_path, titles=tmp_path / "other" / "movies.csv")) == {"1": "e1"}


def test_kgat(tmp_path: Path) -> None:
    data = read(write(tmp_path, {"train.txt.gz": "0 5 6\n1 5\n", "test.txt": "0 7\n1 \n", "kg_final.txt": "5 0 9\n6 1 9\n"}))
    assert events(data) == [("0", "5", -1), ("0", "6", -1), ("1", "5", -1), ("0", "7", -1)]
    assert data.part is not None
    assert data.part.tolist() == [TRAIN, TRAIN, TRAIN, TEST]
    assert triples(data) == [("5", "0", "9"), ("6", "1", "9")]
    assert entities(data) == {"5": "5", "6": "6"}
    assert not data.ordered


def test_kgcn_keeps_the_items_that_have_an_entity(tmp_path: Path) -> None:
    files = {
        "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13\n2\t52\t1\n",
        "item_index2entity_id.txt": "51\t0\n",
        "kg.txt": "0\tmusic.artist.origin\t8\n",
    }
    data = read(write(tmp_path, files))
    assert events(data) == [("2", "51", 13)]
    assert triples(data) == [("0", "music.artist.origin", "8")]
    assert entities(data) == {"51": "0"}


def test_hetrec(tmp_path: Path) -> None:
    files = {
        "user_artists.dat": "userID\tartistID\tweight\r\n2\t51\t13\r\n",
        "artists.dat": 'id\tname\turl\r\n51\t"Duran" Duran\thttp://x\r\n',
        "user_friends.dat": "userID\tfriendID\r\n2\t275\r\n",
    }
    data = read(write(tmp_path, files))
    assert events(data) == [("2", "51", 13)]
    assert item(data, "51").title == '"Duran" Duran'
    assert triples(data) == [("user:2", "friend", "user:275")]
    assert entities(data) == {}


MOVIELENS = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,10,2.5,70\n1,11,4.0,60\n",
    "movies.csv": 'movieId,title,genres\n10,"Sting, The (1973)",Comedy|Crime\n11,Nothing,(no genres listed)\n',
    "links.csv": "movieId,imdbId,tmdbId\n10,0070735,9277\n11,0000001,\n",
}
FILMS = {
    "id2info.json": json.dumps(
        {"5": {"name": "The Sting (1973)", "plot": "Two grifters.", "star": ["Paul Newman"], "imdb_id": "tt0070735"}}
    ),
    "entity2id.json": json.dumps({"The Sting (1973)": 0, "Paul Newman": 3}),
    "kg.json": json.dumps({"0": [[1, 3]]}),
}


@pytest.mark.parametrize("beside", [True, False])
def test_movielens_with_the_film_graph(tmp_path: Path, *, beside: bool) -> None:
    write(tmp_path / "ml", MOVIELENS)
    graph = write(tmp_path / ("redial-kg" if beside else "elsewhere"), FILMS)
    data = read(tmp_path / "ml") if beside else read(tmp_path / "ml", graph=graph)
    assert events(data) == [("1", "10", 2.5), ("1", "11", 4)]
    film = item(data, "10")
    assert (film.domain, film.year, film.text) == ("movies", 1973, "Two grifters.")
    assert film.attributes == {"genre": ("Comedy", "Crime"), "star": ("Paul Newman",)}
    assert item(data, "11").attributes == {}
    assert triples(data) == [("0", "1", "3")]
    assert entities(data) == {"10": "0"}


def test_movielens_without_a_graph(tmp_path: Path) -> None:
    assert read(write(tmp_path / "ml", MOVIELENS)).graph is None


def test_frappe(tmp_path: Path) -> None:
    files = {
        "frappe.csv": "user\titem\tcnt\tdaytime\tcity\n0\t7\t428\tnight\t0\n0\t8\t1\tnoon\t12\n",
        "meta.csv.gz": 'item\tcategory\tdescription\tname\n7\tShopping\t"Buys ""all""\nof it"\tShop\n9\tTools\tx\ty\n',
    }
    data = read(write(tmp_path, files))
    assert events(data) == [("0", "7", 428), ("0", "8", 1)]
    assert words(data.context["daytime"]) == ["night", "noon"]
    assert words(data.context["city"]) == ["0", "12"]
    assert {one.item_id: (one.domain, one.title, one.text) for one in data.catalogue.items} == {
        "7": ("shopping", "Shop", 'Buys "all"\nof it'),
        "8": ("other", "8", ""),
    }
    assert item(data, "7").attributes == {"category": ("Shopping",)}
    assert not data.ordered


def test_click_tables_with_parts(tmp_path: Path) -> None:
    head = "label,user,item,daytime,price,city\n"
    files = {"train.csv": f"{head}1,1,2,3,0.5,7\n0,1,3,4,,\n", "valid.csv": f"{head}0,1,2,3,2,7\n", "test.csv": f"{head}1,1,9,3,1,7\n"}
    data = read(write(tmp_path, files))
    assert events(data) == [("1", "2", 1), ("1", "3", 0), ("1", "2", 0), ("1", "9", 1)]
    assert data.part is not None
    assert data.part.tolist() == [TRAIN, TRAIN, VALIDATION, TEST]
    assert {name: words(codes) for name, codes in data.context.items()} == {"daytime": ["3", "4", "3", "3"], "city": ["7", None, "7", "7"]}
    assert data.numbers["price"].tolist() == [0.5, pytest.approx(math.nan, nan_ok=True), 2, 1]
    assert read(tmp_path / "train.csv").part is None


def test_click_tables_without_users_and_items_have_one_of_each(tmp_path: Path) -> None:
    write(tmp_path, {"clicks.csv": "label,site\n1,a\n0,b\n"})
    data = read(tmp_path / "clicks.csv", "frappe_x1")
    assert events(data) == [("all", "all", 1), ("all", "all", 0)]
    assert words(data.context["site"]) == ["a", "b"]


def test_libfm(tmp_path: Path) -> None:
    data = read(write(tmp_path, {"frappe.train.libfm": "1 0:1 5:1 9:1\n-1 0:1 6:1 9:1\n", "frappe.test.libfm": "1 3:1 5:1 8:1\n"}))
    assert events(data) == [("0", "5", 1), ("0", "6", 0), ("3", "5", 1)]
    assert words(data.context["field_2"]) == ["9", "9", "8"]
    assert data.part is not None
    assert data.part.tolist() == [TRAIN, TRAIN, TEST]


def situnes(folder: Path) -> Path:
    files = {
        "Stage1/interactions.csv": "user_id,item_id,No.,timestamp,rating,duration,emo_valence,emo_arousal\n1,5,1,100,4,9.5,.3,-.8\n",
        "Stage2/interactions.csv": "inter_id,user_id,item_id,timestamp,rating,emo_pre_valence,emo_pre_arousal,emo_post_valence,"
        "emo_post_arousal,duration,rec_type\n2,1,6,300,5,.1,.2,.3,.4,,\n1,1,5,200,2,-.5,0,.3,.4,,GCN\n",
        "Stage2/env.json": json.dumps(
            {
                "1": {"time": 1, "weather": [2, 996, 22, 83], "GPS": [10, 20, 0.5]},
                "2": {"time": 3, "weather": [0, 990, 20, 80], "GPS": [11, 21, 1.5]},
            }
        ),
        "music_metadata/music_info.csv": ",item_id,loudness,key,duration,general_genre_id,general_genre\n"
        "0,5,-12.5,2.0,204000,0,indie\n1,6,-3,,100000,1,rock\n",
        "music_metadata/music_info_withname.csv": 'i_id_c,music,singer\n5.0,"Song, a",Someone\n',
    }
    write(folder, files)
    wrist = np.zeros((2, 30, 4))
    wrist[0, :, 0], wrist[0, 20:, 3] = 3.0, 2.0  # record 1: steady heart, walks for the last ten minutes
    np.save(folder / "Stage2" / "wrist.npy", wrist)
    return folder


def test_situnes_knows_what_was_known_before_the_song(tmp_path: Path) -> None:
    data = read(situnes(tmp_path))
    assert events(data) == [("1", "5", 4), ("1", "6", 5), ("1", "5", 2)]
    assert data.arrays.time_s.tolist() == [100, 300, 200]
    assert words(data.context["stage"]) == ["Stage1", "Stage2", "Stage2"]
    assert words(data.context["weather"]) == [None, "0", "2"]
    assert words(data.context["activity"]) == [None, "0", "0"]
    known = {name: column.tolist()[1:] for name, column in data.numbers.items()}
    assert known["heart_rate_mean"] == [0, 3]
    assert known["activity_2"] == [0, pytest.approx(1 / 3)]
    assert known["weather_temperature"] == [20, 22]
    assert known["speed"] == [1.5, 0.5]
    assert known["song_loudness"] == [-3, -12.5]
    assert all(math.isnan(data.numbers[name][0]) for name in ("emo_pre_valence", "speed", "heart_rate_mean"))
    assert not [name for name in (*data.numbers, *data.context) if "post" in name or name in ("duration", "preference")]
    song = item(data, "5")
    assert (song.title, song.attributes) == ("Song, a", {"genre": ("indie",), "key": ("2",), "creator": ("Someone",)})


def test_situnes_by_stage(tmp_path: Path) -> None:
    data = read(situnes(tmp_path) / "Stage2")
    assert events(data) == [("1", "6", 5), ("1", "5", 2)]
    assert item(data, "5").title == "Song, a"


def test_carskit(tmp_path: Path) -> None:
    data = read(write(tmp_path, {"ratings.csv": "userid,itemid,rating,Time,Place\n1,tt2,2,NA,NA\n1,tt3,5,Weekend,Home\n"}))
    assert events(data) == [("1", "tt2", 2), ("1", "tt3", 5)]
    assert data.context["Time"].code.tolist() == [-1, 0]
    assert not data.ordered


def test_mealrec(tmp_path: Path) -> None:
    files = {
        "user_meal_train.txt": "1\t7\n2\t8\n",
        "user_meal_tune.txt": "1\t8\n",
        "user_meal_test.txt.gz": "2\t7\n",
        "meal_course.txt": "7\t70\n7\t71\n",
        "course_category.txt": "70\t0\n71\t2\n",
    }
    data = read(write(tmp_path, files))
    assert events(data) == [("1", "7", -1), ("2", "8", -1), ("1", "8", -1), ("2", "7", -1)]
    assert data.part is not None
    assert data.part.tolist() == [TRAIN, TRAIN, VALIDATION, TEST]
    assert item(data, "7").attributes == {"course": ("70", "71"), "category": ("0", "2")}


def test_steam(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "steam.zip", "w") as archive:
        archive.writestr("steam/game_purchase.dat", "User_ID\tGame_ID\tPurchase\n1\t5\t1.0\n1\t6\t1.0\n")
        archive.writestr("steam/game_play.dat", "User_ID\tGame_ID\tHours\n1\t5\t2.5\n")
        archive.writestr("steam/item_info.dat", "Game_ID\tGame Name\n5\tSpore\n6\tDota 2\n")
    for path in (tmp_path, tmp_path / "steam.zip"):
        data = read(path)
        assert events(data) == [("1", "5", -1), ("1", "6", -1)]
        assert data.numbers["hours"].tolist() == [2.5, pytest.approx(math.nan, nan_ok=True)]
        assert item(data, "6").title == "Dota 2"


def test_ciao(tmp_path: Path) -> None:
    savemat(tmp_path / "rating.mat", {"rating": np.asarray([[1, 9, 3, 5, 1], [2, 9, 3, 1, 4]])})
    savemat(tmp_path / "trustnetwork.mat", {"trustnetwork": np.asarray([[1, 2]])})
    data = read(tmp_path)
    assert events(data) == [("1", "9", 5), ("2", "9", 1)]
    assert item(data, "9").attributes == {"category": ("3",)}
    assert triples(data) == [("user:1", "trusts", "user:2")]


def test_a_store(tmp_path: Path) -> None:
    with Store.open(tmp_path / "mine", create=True) as store:
        store.items.upsert([Item(ItemId("b"), "books", "Emma"), Item(ItemId("a"), "movies", "Alien")])
        store.events.add([Event(UserId("u"), ItemId("b"), "read", None, 5.0)])
        store.edges.add([Edge("item:b", "written_by", "creator:Jane Austen", "test")])
    data = read(tmp_path / "mine")
    assert events(data) == [("u", "b", -1)]
    assert [one.title for one in data.catalogue.items] == ["Alien", "Emma"]
    assert triples(data) == [("item:b", "written_by", "creator:Jane Austen")]
    assert entities(data) == {"b": "item:b"}


def test_any_table(tmp_path: Path) -> None:
    text = "User_ID;itemId;Rating;timestamp;weather;temperature\n1;x;4;100;sunny;20.5\n2;y;;50;;\n"
    write(tmp_path, {"log.csv": text})
    table = {"user": [1, 2], "item": ["x", "y"], "rating": [4.0, None], "timestamp": [100, 50]}
    pl.DataFrame(table | {"weather": ["sunny", None], "temperature": [20.5, None]}).write_parquet(tmp_path / "log.parquet")
    for name in ("log.csv", "log.parquet"):
        data = read(tmp_path / name)
        assert events(data) == [("1", "x", 4), ("2", "y", -1)]
        assert data.arrays.time_s.tolist() == [100, 50]
        assert data.arrays.kind == ("rating", "rating")
        assert words(data.context["weather"]) == ["sunny", None]
        assert data.numbers["temperature"].tolist() == [20.5, pytest.approx(math.nan, nan_ok=True)]


def test_dates_are_times(tmp_path: Path) -> None:
    write(tmp_path, {"log.csv": "user,item,timestamp\n1,x,1970-01-02T00:00:00\n1,y,1970-01-01T00:00:01\n"})
    assert read(tmp_path / "log.csv").arrays.time_s.tolist() == [86_400, 1]


def test_formats_that_do_not_fit_are_told_which_there_are(tmp_path: Path) -> None:
    write(tmp_path, {"notes.md": "hello"})
    for format in ("auto", "excel"):
        with pytest.raises(InputError, match=", ".join(FORMATS)):
            read(tmp_path / "notes.md", format)
    with pytest.raises(NotFound):
        read(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="no options"):
        read(tmp_path / "notes.md", "csv", graph=tmp_path)


def test_a_folder_of_several_sets_is_asked_for_one(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}{end}": "1 2\n" if end == ".txt" else "{}" for name in "AB" for end in (".txt", "_item2attributes.json")})
    with pytest.raises(InputError, match="has 2 data sets"):
        read(tmp_path)
