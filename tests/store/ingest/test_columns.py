from pathlib import Path

import pytest

from scenewise.store.errors import InputError
from scenewise.store.ingest import guess_columns
from scenewise.store.ingest.columns import guess_kind

# The headers of public data sets.
SHAPES = [
    ("ratings.csv", "userId,movieId,rating,timestamp", "events",
     {"user_id": "userId", "item_id": "movieId", "value": "rating", "time_s": "timestamp"}),
    ("movies.csv", "movieId,title,genres", "items", {"item_id": "movieId", "title": "title", "attributes.genre": "genres"}),
    ("frappe.csv", "user,item,cnt,daytime,weekday", "events", {"user_id": "user", "item_id": "item", "value": "cnt"}),
    ("plays.dat", "userID,artistID,weight", "events", {"user_id": "userID", "item_id": "artistID", "value": "weight"}),
    ("artists.dat", "id,name,url,pictureURL", "items", {"item_id": "id", "title": "name", "media": "pictureURL"}),
    ("context.csv", "userid,itemid,rating,Time", "events",
     {"user_id": "userid", "item_id": "itemid", "value": "rating", "time_s": "Time"}),
    ("reviews.csv", "reviewerID,asin,overall,unixReviewTime", "events",
     {"user_id": "reviewerID", "item_id": "asin", "value": "overall", "time_s": "unixReviewTime"}),
    ("shop.csv", "sku,product_name,description,category,price,image,in_stock", "items",
     {"item_id": "sku", "title": "product_name", "text": "description", "price": "price", "available": "in_stock",
      "media": "image", "attributes.genre": "category"}),
    ("courses.csv", "course_id,course_title,course_difficulty,course_author", "items",
     {"item_id": "course_id", "title": "course_title", "attributes.level": "course_difficulty",
      "attributes.creator": "course_author"}),
    ("tracks.csv", "track_id,track_name,artists,duration_ms", "items",
     {"item_id": "track_id", "title": "track_name", "attributes.creator": "artists", "duration_min": "duration_ms"}),
    ("x.item", "item_id,movie_title,release_year,class", "items",
     {"item_id": "item_id", "title": "movie_title", "year": "release_year", "attributes.genre": "class"}),
    ("people.csv", "user_id,age,gender", "users", {"user_id": "user_id", "attributes.age": "age", "attributes.gender": "gender"}),
    ("x.kg", "head_id,relation_id,tail_id", "edges", {"subject": "head_id", "relation": "relation_id", "object": "tail_id"}),
    ("graph.csv", "source,relation,target", "edges", {"subject": "source", "relation": "relation", "object": "target"}),
    ("facts.csv", "subject,relation,object,source,evidence,confidence", "edges",
     {"subject": "subject", "relation": "relation", "object": "object", "source": "source", "evidence": "evidence",
      "confidence": "confidence"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "header", "kind", "columns"), SHAPES)
def test_real_headers(name: str, header: str, kind: str, columns: dict[str, str]) -> None:
    names = header.split(",")
    assert guess_kind(Path(name), names) == kind
    guess = guess_columns(names, [], kind)
    assert guess.columns == columns
    assert set(guess.ignored) == set(names) - set(columns.values())


def test_short_texts_and_lists_become_attributes_of_items() -> None:
    header = ["id", "title", "cuisine", "diet", "stock", "page", "story", "empty", "ok"]
    rows = [
        ["1", "Soup", "Thai", ["vegan"], "12", "https://x.org/1", "word " * 40, "", True],
        ["2", "Stew", "Irish|British", [], "7", "", "", None, False],
    ]
    guess = guess_columns(header, rows, "items")
    assert {field for field in guess.columns if field.startswith("attributes.")} == {"attributes.cuisine", "attributes.diet"}
    assert guess.ignored == ("stock", "page", "story", "empty", "ok")


def test_a_mapping_wins_and_its_column_is_not_taken_twice() -> None:
    header = ["id", "sku", "name", "colour"]
    rows = [["1", "A", "Lamp", "red"]]
    guess = guess_columns(header, rows, "items", mapping={"item_id": "sku", "title": "name", "attributes.shade": "colour"})
    assert guess.columns == {"item_id": "sku", "title": "name", "attributes.shade": "colour"}
    assert guess.ignored == ("id",)


def test_a_mapping_leaves_out() -> None:
    header = ["id", "title", "year", "colour", "shop"]
    rows = [["1", "Lamp", "1990", "red", "north"]]
    guess = guess_columns(header, rows, "items", mapping={"year": "", "ignore": "colour, shop"})
    assert guess.columns == {"item_id": "id", "title": "title"}
    assert guess.ignored == ("year", "colour", "shop")


def test_a_known_attribute_needs_no_prefix_and_a_typed_name_finds_its_column() -> None:
    guess = guess_columns(["id", "title", "style"], [], "items", mapping={"genre": "style:token_seq"})
    assert guess.columns["attributes.genre"] == "style"


@pytest.mark.parametrize(
    ("mapping", "hint"),
    [
        ({"item": "sku"}, "'item_id'"),
        ({"item_id": "skuu"}, "'sku'"),
        ({"ignore": "titel"}, "'title'"),
        ({"zzz": "sku"}, "fields are"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(mapping: dict[str, str], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        guess_columns(["sku", "title"], [], "items", mapping=mapping)


def test_a_missing_field_is_named_with_the_columns_seen() -> None:
    with pytest.raises(InputError, match=r"item_id among 'title', 'year'.*item_id=COLUMN"):
        guess_columns(["title", "year"], [], "items")


def test_a_kind_that_cannot_be_told() -> None:
    with pytest.raises(InputError, match=r"'a', 'b'.*items need item_id and title"):
        guess_kind(Path("x.csv"), ["a", "b"])
    with pytest.raises(InputError, match="links"):
        guess_kind(Path("x.link"), ["item_id", "entity_id"])


def test_price_in_cents_is_taken_once() -> None:
    assert "price" not in guess_columns(["id", "title", "price", "price_cents"], [], "items").columns
    assert guess_columns(["id", "title", "price", "price_cents"], [], "items", mapping={"price": "price"}).columns["price"] == "price"


def test_a_column_is_not_taken_for_times_or_numbers_by_its_name_alone() -> None:
    rows = [["u", "a", "good", "Weekend", "1000000000"], ["u", "b", "bad", "NA", ""]] * 10
    guess = guess_columns(["user", "item", "rating", "Time", "date"], rows, "events")
    assert guess.columns == {"user_id": "user", "item_id": "item", "time_s": "date"}
    assert guess.ignored == ("rating", "Time")
    few = guess_columns(["user", "item", "rating", "Time", "date"], rows[:4], "events")
    assert few.columns["time_s"] == "Time"
    said = guess_columns(["user", "item", "rating", "Time", "date"], rows, "events", mapping={"time_s": "Time"})
    assert said.columns["time_s"] == "Time"


def test_a_mapping_helps_to_tell_the_kind() -> None:
    assert guess_kind(Path("x.csv"), ["number", "course_title"], {"item_id": "number"}) == "items"
