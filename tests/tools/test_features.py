"""Features of a small catalogue, worked out by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError
from scenewise.store.types import Item, ItemId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.features import ItemFeatures, encode_items, features_of
from scenewise.tools.graph.embedding import ItemGraph
from scenewise.tools.retrieval.encoders import Encoders


class LetterEncoder:
    """Counts letters; remembers how many texts it was given."""

    dim = 26

    def __init__(self, name: str) -> None:
        self.name, self.seen = name, 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        assert texts, "a model would be loaded for nothing"
        self.seen += len(texts)
        rows = np.asarray([[text.lower().count(chr(97 + place)) for place in range(26)] for text in texts], dtype=np.float32)
        rows = rows.reshape(len(texts), 26)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def item(item_id: str, title: str, year: int | None = None, **attributes: str) -> Item:
    return Item(ItemId(item_id), "movies", title, attributes={name: (value,) for name, value in attributes.items()}, year=year)


FILMS = (item("a", "Alien", 1979, genre="Horror"), item("b", "Aliens", 1976, genre="horror"), item("c", "Babe", 1995, genre="Comedy"))


def encoders() -> Encoders:
    return Encoders(LetterEncoder("english"), LetterEncoder("multilingual"))


def test_attributes_are_values_that_some_items_share_and_others_lack() -> None:
    features = features_of(Catalogue.from_items(FILMS))
    assert features.values == ("genre:horror", "years:1975")
    assert features.attributes.toarray().tolist() == [[1, 1], [1, 1], [0, 0]]
    assert features.domain.tolist() == [0, 0, 0]
    assert features.text is None
    assert features.graph is None


def test_columns_of_an_earlier_call_are_kept() -> None:
    features = features_of(Catalogue.from_items(FILMS), values=("genre:comedy", "genre:western"))
    assert features.attributes.toarray().tolist() == [[0, 0], [0, 0], [1, 0]]


def test_an_empty_catalogue_has_no_rows() -> None:
    features = features_of(Catalogue.from_items(()), encoders=encoders(), graph=ItemGraph(csr_matrix((0, 0)), np.zeros(0, dtype=np.int32)))
    assert features.n == 0


def test_parts_must_fit_together() -> None:
    with pytest.raises(InputError, match="one row an item"):
        ItemFeatures(csr_matrix((2, 1)), np.zeros(3, dtype=np.int16))
    with pytest.raises(InputError, match="name all"):
        ItemFeatures(csr_matrix((2, 1)), np.zeros(2, dtype=np.int16), values=("a", "b"))


def test_only_new_and_changed_items_are_encoded_again(tmp_path: Path) -> None:
    first, second = encoders(), encoders()
    vectors = encode_items(FILMS, first, cache=tmp_path)
    assert first.english.seen == 3
    changed = (FILMS[2], item("b", "Aliens: the sequel", 1976), FILMS[0])
    again = encode_items(changed, second, cache=tmp_path)
    assert second.english.seen == 1
    np.testing.assert_array_equal(again[[0, 2]], vectors[[2, 0]])
    third = encoders()
    np.testing.assert_array_equal(encode_items(changed, third, cache=tmp_path), again)
    assert third.english.seen == 0


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "text-english.npz").write_bytes(b"no zip")
    fresh = encoders()
    encode_items(FILMS, fresh, cache=tmp_path)
    assert fresh.english.seen == 3
    encode_items(FILMS, fresh, cache=tmp_path)
    assert fresh.english.seen == 3


def test_one_encoder_for_all_where_titles_are_in_other_scripts() -> None:
    mixed = encoders()
    assert encode_items((*FILMS, item("d", "大话西游")), mixed).shape == (4, 26)
    assert (mixed.english.seen, mixed.multilingual.seen) == (0, 4)


def test_a_bare_title_says_nothing_where_others_have_texts() -> None:
    films = (*FILMS, Item(ItemId("d"), "movies", "Duel", text="A lorry follows a car."), Item(ItemId("e"), "music", "Elegy"))
    features = features_of(Catalogue.from_items(films), encoders=encoders())
    assert features.text is not None
    assert features.text.any(axis=1).tolist() == [False, False, False, True, True]
    told = np.ones((5, 2), dtype=np.float32)
    assert features_of(Catalogue.from_items(films), text=told).text.any(axis=1).tolist() == [False, False, False, True, True]
