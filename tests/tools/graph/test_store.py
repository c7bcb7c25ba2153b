"""The graph of a real store."""

from scenewise.store.store import Store
from scenewise.store.types import Edge, Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.graph import KnowledgeGraph
from scenewise.tools.scene.pack import default_pack


def test_items_open_edges_and_scenes_meet_in_the_graph(tmp_path):
    with Store.open(tmp_path / "s", create=True) as store:
        items = [
            Item(ItemId(item_id), "movies", item_id.title(), attributes={"mood": ("romantic",)}) for item_id in ("fargo", "heat", "alien")
        ]
        store.items.upsert(items)
        closed = Edge("item:fargo", "directed_by", "person:Nobody", "test", valid_to_s=1.0)
        store.edges.add(
            [Edge("item:fargo", "directed_by", "entity:m.1", "test"), Edge("item:heat", "directed_by", "entity:m.1", "test"), closed]
        )
        graph = KnowledgeGraph.from_store(store, Catalogue.from_store(store), default_pack())
    path = graph.path([ItemId("fargo")], ItemId("heat"))
    assert path is not None
    assert path.sentence == "by the same director as Fargo"
    assert "person:nobody" not in graph.graph
    assert ("prefers", "mood:romantic", "romantic") in graph.neighbours("scene:date night")
