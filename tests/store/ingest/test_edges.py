import pytest

from scenewise.store import Store
from scenewise.store.errors import InputError
from scenewise.store.ingest import ingest, preview
from scenewise.store.ingest.freebase import RELATIONS, name_relation
from scenewise.store.types import Edge

KG = "head_id:token\trelation_id:token\ttail_id:token\n"
LINKS = "item_id:token\tentity_id:token\na\tm.1\nb\tm.2\n"


def test_a_graph_with_its_links(shop: Store, make, quarantined) -> None:
    rows = [
        ("m.1", "film.film.directed_by", "m.9"),
        ("m.9", "film.director.film", "m.1"),
        ("m.2", "film.film.prequel", "m.1"),
        ("m.1", "film.film.sequel", "m.2"),
        ("m.8", "film.director.film", "m.7"),
        ("m.1", "film.film.budget", "m.6"),
        ("m.1", "", "m.6"),
    ]
    path = make("x.kg", KG + "".join("\t".join(row) + "\n" for row in rows))
    make("x.link", LINKS)
    report = ingest(shop, path)
    assert quarantined(report) == [(8, "missing id")]
    assert (report.read, report.written, report.unchanged) == (7, 3, 2)
    assert report.skipped == {"edge without an item": 1}
    assert "2 rows state an edge from its far end" in report.notes[0]
    assert list(shop.edges.all()) == [
        Edge("item:a", "directed_by", "entity:m.9", "freebase", "m.1 film.film.directed_by m.9"),
        Edge("item:a", "sequel", "item:b", "freebase", "m.1 film.film.sequel m.2"),
        Edge("item:a", "budget", "entity:m.6", "freebase", "m.1 film.film.budget m.6"),
    ]
    revision = shop.revision()
    again = ingest(shop, path)
    assert (again.written, again.unchanged, shop.revision()) == (0, 5, revision)


def test_a_linked_item_that_the_store_lacks(shop: Store, make, quarantined) -> None:
    path = make("x.kg", KG + "m.1\tfilm.film.genre\tm.5\n")
    links = make("y.link", "item_id:token\tentity_id:token\nnone\tm.1\n")
    assert quarantined(ingest(shop, path, links=links)) == [(2, "unknown item")]


def test_a_graph_without_links_cannot_be_loaded(shop: Store, make) -> None:
    path = make("x.kg", KG + "m.1\tfilm.film.genre\tm.5\n")
    with pytest.raises(InputError, match=r"\.link"):
        preview(path)
    with pytest.raises(InputError, match="item_id and entity_id"):
        ingest(shop, path, links=make("y.csv", "a,b\n1,2\n"))


def test_whole_edges(shop: Store, make, quarantined) -> None:
    path = make(
        "facts.csv",
        "subject,relation,object,source,evidence,confidence,valid_from,valid_to\n"
        "item:a,by,creator:Jo Ann,shop,row 1,0.5,1970-01-02,\n"
        "creator:Jo Ann,from,country:Eire,,,,,\n"
        "a,by,creator:x,,,,,\n"
        "item:a,by,creator:,,,,,\n"
        "item:z,by,creator:x,,,,,\n"
        "item:a,by,creator:x,,,2,,\n"
        "item:a,by,creator:x,,,,1970-01-03,1970-01-02\n"
        "item:a,by,creator:x,,,,soon,\n"
        "item:a,,creator:x,,,,,\n",
    )
    report = ingest(shop, path)
    assert sorted(quarantined(report)) == [
        (4, 'node that is not "type:key"'),
        (5, 'node that is not "type:key"'),
        (6, "unknown item"),
        (7, "confidence outside 0 to 1"),
        (8, "end before the beginning"),
        (9, "unreadable date"),
        (10, "missing id"),
    ]
    assert list(shop.edges.all()) == [
        Edge("item:a", "by", "creator:Jo Ann", "shop", "row 1", 0.5, 86_400.0),
        Edge("creator:Jo Ann", "from", "country:Eire", "facts.csv"),
    ]
    assert ingest(shop, path).unchanged == 2


def test_every_turned_relation_has_one_to_fall_together_with() -> None:
    forward = {short: name for name, (short, turned) in RELATIONS.items() if not turned}
    for name, (short, turned) in RELATIONS.items():
        assert name_relation(name) == (short, forward[short], turned)


FACTS = "subject,relation,object,source,denied\n"


def test_a_file_loaded_again_ends_the_facts_that_it_no_longer_states(shop: Store, make) -> None:
    path = make("facts.csv", FACTS + "item:a,by,creator:x,s,\nitem:a,by,creator:y,s,\nitem:b,by,creator:z,t,\n")
    ingest(shop, path)
    shop.edges.add([Edge("item:a", "by", "creator:w", "elsewhere")])
    make("facts.csv", FACTS + "item:a,by,creator:x,s,\nitem:a,by,creator:v,s,\nitem:b,by,creator:z,t,no\n")
    report = ingest(shop, path)
    assert (report.written, report.unchanged, report.ended) == (1, 2, 1)
    assert {edge.object for edge in shop.edges.holding()} == {"creator:x", "creator:v", "creator:z", "creator:w"}
    assert {edge.object: edge.valid_to_s is None for edge in shop.edges.of("item:a")}["creator:y"] is False
    make("facts.csv", FACTS + "item:a,by,creator:x,s,yes\n")
    ingest(shop, path)
    assert {edge.object for edge in shop.edges.holding()} == {"creator:z", "creator:w"}  # x is denied now; of t nothing was said


def test_a_part_or_a_file_with_bad_rows_ends_nothing(shop: Store, make) -> None:
    path = make("facts.csv", FACTS + "item:a,by,creator:x,s,\nitem:a,by,creator:y,s,\n")
    ingest(shop, path)
    make("facts.csv", FACTS + "item:a,by,creator:x,s,\n")
    assert ingest(shop, path, part=True).ended == 0
    make("facts.csv", FACTS + "item:a,by,creator:x,s,\nitem:a,by,broken,s,\n")
    report = ingest(shop, path)
    assert report.ended == 0
    assert "not ended" in report.notes[-1]
    make("facts.csv", FACTS + "item:a,by,creator:x,s,\nitem:nowhere,by,creator:q,s,\n")  # what the store lacks it holds no facts of
    assert ingest(shop, path).ended == 1


def test_another_graph_of_the_same_source_ends_nothing_of_the_first(shop: Store, make) -> None:
    make("x.link", "item_id:token\tentity_id:token\na\tm.1\n")
    make("y.link", "item_id:token\tentity_id:token\nb\tm.2\n")
    first = make("x.kg", KG + "m.1\tfilm.film.genre\tm.5\nm.1\tfilm.film.genre\tm.6\n")
    ingest(shop, first)
    assert ingest(shop, make("y.kg", KG + "m.2\tfilm.film.genre\tm.5\n")).ended == 0
    make("x.kg", KG + "m.1\tfilm.film.genre\tm.5\n")
    assert ingest(shop, first).ended == 1
    assert {(edge.subject, edge.object) for edge in shop.edges.holding()} == {("item:a", "entity:m.5"), ("item:b", "entity:m.5")}
