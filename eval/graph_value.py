"""Does the graph earn its place? The real one against none and against a random one, for known items and for new ones.

The random graph keeps each entity's degree in each relation: within a relation, the tails are dealt out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, vstack

from scenewise.eval import protocols
from scenewise.eval.contest import Field, Fit, Tuned, blend, fitting, table, tune
from scenewise.eval.dataset import Dataset, Triples
from scenewise.eval.known import item_graph
from scenewise.eval.measure import Result, answers_of
from scenewise.eval.protocols import Split
from scenewise.store.errors import InputError
from scenewise.tools.collaborative.als import Als
from scenewise.tools.collaborative.collaborative import EASE_ITEMS
from scenewise.tools.collaborative.content_knn import ContentKnn
from scenewise.tools.collaborative.ease import Ease
from scenewise.tools.collaborative.feature_regression import FeatureRegression
from scenewise.tools.collaborative.item_knn import ItemKnn
from scenewise.tools.collaborative.popularity import Popularity
from scenewise.tools.collaborative.transition_knn import TransitionKnn
from scenewise.tools.features import ItemFeatures, features_of
from scenewise.tools.graph.embedding import describe_surroundings
from scenewise.tools.tfidf import tfidf

Progress = Callable[[int, int | None], None]
GRAPHS = ("real", "random", "none")
_RIDGES = (2.0, 10.0)
_WORTHS = (1.0, 10.0, 100.0)  # of an entity, as a user, in EASE


def run(dataset: Dataset, *, seeds: Sequence[int] = (0, 1, 2, 3, 4), progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Measure for each seed (which draws the random graph, the new items, and the order of events of equal time); ready for JSON.

    InputError where the set has no graph that touches its items.
    """
    triples = dataset.graph
    if triples is None or not (triples.entity_of_item >= 0).any():
        raise InputError("This set has no graph over its items: give one by its path, or take a set that comes with one.")
    plain = features_of(dataset.catalogue)
    real = _with_graph(plain, triples)
    known: dict[str, list[Result]] = {}
    new: dict[str, list[Result]] = {}
    splits: dict[str, list[Split]] = {"known": [], "new": []}
    for done, seed in enumerate(seeds):
        dealt = rewire(triples, seed)
        features = {"real": (real, triples), "random": (_with_graph(plain, dealt), dealt), "none": (plain, None)}
        validation, test = protocols.leave_one_out(protocols.interactions(dataset), seed)
        if not validation.cases or not test.cases:
            raise InputError("No user has enough events to hold some back for validation and test.")
        for name, tuned in _known(features, validation, test, ordered=dataset.ordered, seed=seed).items():
            known.setdefault(name, []).append(tuned.asked(test, None))
        splits["known"].append(test)
        progress(2 * done + 1, 2 * len(seeds))
        validation, test = protocols.cold_items(dataset, seed=seed)
        for name, (one, _) in features.items():
            new.setdefault(name, []).append(tune(_regressions(one, seed), validation, test).asked(test, test.among))
        splits["new"].append(test)
        progress(2 * done + 2, 2 * len(seeds))
    return {
        "protocol": _protocol(),
        "dataset": dataset.name,
        "counts": _counts(dataset, triples),
        "seeds": list(seeds),
        "known_items": table(known, splits["known"], ours="all + real", others=["all + none", "all + random", "all"]),
        "graph_alone": table(
            {name: results for name, results in known.items() if name in GRAPHS}, splits["known"], ours="real", others=["none", "random"]
        ),
        "new_items": table(new, splits["new"], ours="real", others=["none", "random"]),
    }


def rewire(triples: Triples, seed: int) -> Triples:
    """Deal out the tails of each relation anew: the same heads, relations and tails, as often as before."""
    rng = np.random.default_rng(seed)
    tails = triples.tails.copy()
    for relation in np.unique(triples.relations):
        places = np.flatnonzero(triples.relations == relation)
        tails[places] = tails[rng.permutation(places)]
    return replace(triples, tails=tails)


def _with_graph(features: ItemFeatures, triples: Triples) -> ItemFeatures:
    return replace(features, graph=describe_surroundings(item_graph(triples)))


def _known(
    features: Mapping[str, tuple[ItemFeatures, Triples | None]], validation: Split, test: Split, *, ordered: bool, seed: int
) -> dict[str, Tuned]:
    """Blend the sources without content, then add, for each graph, the three that know it; also those three alone."""
    small = test.train.matrix.shape[1] <= EASE_ITEMS
    makers: dict[str, Fit] = {
        "popularity": fitting(Popularity),
        "item_knn": fitting(partial(ItemKnn, weighting="bm25")),
        "als": fitting(partial(Als, factors=64, regularisation=10.0, seed=seed)),
    }
    makers |= (
        {"ease": fitting(partial(Ease, regularisation=500.0)), "ease, 100": fitting(partial(Ease, regularisation=100.0))} if small else {}
    )
    makers |= {"transition_knn": fitting(partial(TransitionKnn, window=20))} if ordered else {}
    base = {name: tune({"": fit}, validation, test) for name, fit in makers.items()}
    (together,), weights = blend([Field(base, validation, test)], seed=seed)
    found = {"all": together}
    for graph, (one, triples) in features.items():
        options = {"regression": _regressions(one, seed), "neighbours": _neighbours(one, 0.7 if ordered else 1.0)}
        options |= {"ease with entities": _with_entities(triples)} if small and triples is not None else {}
        own = {name: tune(fits, validation, test) for name, fits in options.items()}
        (found[graph],), _ = blend([Field(own, validation, test)], seed=seed)
        (found[f"all + {graph}"],), _ = blend([Field(base | own, validation, test)], seed=seed, start=weights)
    return found


def _regressions(features: ItemFeatures, seed: int) -> dict[str, Fit]:
    return {f"ridge {ridge}": fitting(partial(FeatureRegression, features, ridge=ridge, seed=seed)) for ridge in _RIDGES}


def _neighbours(features: ItemFeatures, recency: float) -> dict[str, Fit]:
    return {f"k {k}": fitting(partial(ContentKnn, features, k=k), recency) for k in (20, 100)}


def _with_entities(triples: Triples) -> dict[str, Fit]:
    """EASE where each entity is a user of the items around it (collective EASE: Jeunen, Van Balen & Goethals 2020, section 3.2)."""
    graph = item_graph(triples)
    known = graph.node_of_item >= 0
    place = np.where(known, graph.node_of_item, 0)
    around = csr_matrix(tfidf(graph.weights)[place].multiply(known[:, None].astype(np.float32)))  # (n_items, n_entities)

    def fit(worth: float) -> Fit:
        users = csr_matrix(around.T * np.float32(np.sqrt(worth)))
        return lambda train: answers_of(Ease(regularisation=500.0).fit(csr_matrix(vstack([train.matrix, users]))))

    return {f"worth {worth}": fit(worth) for worth in _WORTHS}


def _counts(dataset: Dataset, triples: Triples) -> dict[str, int]:
    return {
        "users": len(dataset.arrays.user_ids),
        "items": dataset.catalogue.n,
        "events": dataset.arrays.n,
        "items_in_graph": int((triples.entity_of_item >= 0).sum()),
        "entities": len(triples.entities),
        "triples": len(triples.heads),
    }


def _protocol() -> dict[str, str]:
    return {
        "known_items": "each user's last event (any one, where the set gives no order) is the target, the one before it validates; the "
        "whole catalogue, seen items masked, ties pessimistic",
        "new_items": "all events of a fifth of the items are held back by seed, and those items ranked for the users who had them; "
        "validation does the same within train",
        "random": "the real graph with the tails of each relation dealt out anew: degrees and relations stay, for each seed",
        "none": "the same sources with the set's own attributes alone",
        "blend": "scores scaled to [0, 1] and added; weights of the sources without content are chosen first, then those of the graph's "
        "sources, each from five or none by NDCG@10 on validation, in the same way for every graph",
        "comparison": "NDCG@10 paired by user, means over seeds, bootstrap intervals, Holm's correction",
    }
