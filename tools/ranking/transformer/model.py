"""A causal Transformer that tells the next item from what a user did, in the manner of SASRec (Kang & McAuley 2018)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.model import Rows, Scores, Sequences, Weights, check_interactions
from scenewise.tools.features import ItemFeatures
from scenewise.tools.ranking.transformer.config import TransformerConfig
from scenewise.tools.ranking.transformer.samples import Ints, Samples, choose_held, history, without_last, worth_of_events

if TYPE_CHECKING:
    from scenewise.tools.ranking.transformer.network import Inputs, Network
    from scenewise.tools.ranking.transformer.training import Course, Peers, Report

_FORMAT = "scenewise transformer 1"


class SequenceTransformer:
    """Scores the catalogue for a history, for the scene that is now, or for stated tastes; see Network for what it is made of.

    Differs from SASRec in that users and items are compared by cosine with a learned temperature, the loss is cross-entropy over all
    items (Klenitskiy & Vasilev 2023), and items start from the spectral embedding of the transitions: on small sets most of the
    quality comes from there, in a tenth of the epochs. Scores are the softmax over the catalogue, so they are positive and add up
    to 1; 0 for an item of which neither an event nor a feature is known.
    """

    name = "transformer"

    def __init__(self, config: TransformerConfig | None = None, features: ItemFeatures | None = None) -> None:
        self.config, self.features = config or TransformerConfig(), features
        self.course: Course | None = None

    def fit(
        self,
        interactions: csr_matrix,
        sequences: Sequences | None = None,
        *,
        start: SequenceTransformer | None = None,
        checkpoint: Path | None = None,
        peers: Peers | None = None,
        report: Report = lambda what, done, total: None,
    ) -> Self:
        """Learn to tell each event of each user from those before it; worth is the weight of an event in the loss.

        `start` is an earlier model to go on from, whose items are the first rows of these (else see `over`). With a `checkpoint` a
        training that was cut goes on after its last whole epoch; the file is left for the caller to delete. With `peers`
        it is trained together with other processes that call this with the same. InputError without sequences, with features of
        another catalogue, or where `start` has other dimensions.
        """
        import torch

        from scenewise.tools.ranking.transformer.training import Items, Training

        matrix = check_interactions(interactions)
        if sequences is None:
            raise InputError("The Transformer needs the sequences of events; pass `sequences`.")
        if self.features is not None and self.features.n != matrix.shape[1]:
            raise InputError("The features must be those of the items of the interactions.")
        n_known = len(np.unique(sequences.rows))
        self.config = self.config.settled(len(sequences.rows), n_known)
        worth = np.minimum(worth_of_events(matrix, sequences), np.float32(1))
        held = choose_held(sequences, self.config)
        samples, questions = Samples.of(sequences, worth, held, self.config.max_length)
        device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if self.config.device == "auto" else self.config.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            network, inputs = self._begin(matrix, sequences, held, start)
            items = Items(network.to(device), inputs, device)
            if len(samples.windows):
                mark = self._mark(samples, inputs, network)
                self.course = Training(items, samples, questions, self.config, peers).run(checkpoint, mark, report)
        self._serve(network.cpu(), items.all().cpu().numpy())
        return self

    def scores(self, rows: Rows, weights: Weights) -> Scores:
        """Return what may come next, whatever the moment: float32 (n_items,); zeros without a history."""
        if not (weights > 0).any():
            return np.zeros(len(self.items), dtype=np.float32)
        return self.scores_in(rows, weights)

    def scores_in(
        self,
        rows: Rows,
        weights: Weights,
        *,
        scene: int | None = None,
        ages_s: NDArray[np.float64] | None = None,
        scenes: NDArray[np.int16] | None = None,
        tastes: NDArray[np.float32] | None = None,
    ) -> Scores:
        """Return what may come next in this moment: float32 (n_items,).

        `scene`: the code of the scene that is now; `ages_s`: float64 (h,), how long ago each event was; `scenes`: int16 (h,), the
        events' own scenes; `tastes`: float32 (dim,), a mean of `items`, read as an event before all others. A history of none gives
        what people begin with, in this scene.
        """
        import torch

        from scenewise.tools.ranking.transformer.training import on_device

        kept = weights > 0
        events, weights = self.items[rows[kept]], np.minimum(weights[kept], np.float32(1))
        ages_s, scenes = None if ages_s is None else ages_s[kept], None if scenes is None else scenes[kept]
        if tastes is not None:
            events, weights = np.concatenate((tastes[None], events)), np.concatenate((np.ones(1, dtype=np.float32), weights))
            ages_s = None if ages_s is None else np.concatenate((ages_s[:1], ages_s))
            scenes = None if scenes is None else np.concatenate((np.full(1, -1, dtype=np.int16), scenes))
        batch = history(
            weights, max_length=self.config.max_length, n_scenes=self.network.n_scenes, scene=scene, scenes=scenes, ages_s=ages_s
        )
        with torch.inference_mode():
            vectors = torch.from_numpy(events) if len(events) else torch.zeros(1, self.config.dim)
            state = self.network(vectors, on_device(batch))[0, -1]
            user = self.network.users(state).numpy()
        return _softmax(self._unit @ user, self._spoken)

    def over(self, features: ItemFeatures | None, rows: Rows, *, n_scenes: int = 0) -> SequenceTransformer:
        """Return the model over another catalogue. `rows` int32 (n_items,): the row here of each of its items, -1 for one that is new
        and is known by its features alone; without `features` the vectors stay as they are. InputError for features of other kinds.
        """
        from scenewise.tools.ranking.transformer.network import Inputs, Network
        from scenewise.tools.ranking.transformer.training import Items

        inputs, widths = Inputs.of(features, len(rows)), self.network.widths
        if features is not None and inputs.widths != widths:
            raise InputError("The features have other columns than those that the model was fitted with.")
        network = Network(self.config, n_items=len(rows), n_scenes=max(n_scenes, self.network.n_scenes), widths=widths)
        network.take(self.network, rows)
        items = np.where(rows[:, None] >= 0, self.items[rows], np.float32(0)) if features is None else Items(network, inputs).all().numpy()
        return SequenceTransformer(self.config, features)._serve(network, items)

    def save(self, path: Path) -> None:
        """Write network and item vectors as safetensors with the settings in its head, atomically."""
        import torch

        from scenewise.tools.ranking.transformer.files import write_tensors

        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        shape = {"n_items": len(self.items), "n_scenes": self.network.n_scenes, "widths": self.network.widths}
        words = {"format": _FORMAT, "config": self.config.model_dump_json(), "shape": json.dumps(shape)}
        write_tensors(path, {**tensors, "items": torch.from_numpy(self.items)}, words)

    @classmethod
    def load(cls, path: Path, *, n_items: int | None = None) -> Self:
        """Read what save wrote. NotFound; StoreError where it is damaged or knows another number of items than `n_items`."""
        from scenewise.tools.ranking.transformer.files import read_tensors
        from scenewise.tools.ranking.transformer.network import Network

        tensors, words = read_tensors(path)
        try:
            if words["format"] != _FORMAT:
                raise StoreError("The file holds no Transformer of this version; fit it again.")
            config, shape = TransformerConfig.model_validate_json(words["config"]), json.loads(words["shape"])
            network = Network(config, n_items=shape["n_items"], n_scenes=shape["n_scenes"], widths=tuple(shape["widths"]))
            items = tensors.pop("items").numpy()
            network.load_state_dict({name.removeprefix("network."): tensor for name, tensor in tensors.items()})
        except (KeyError, TypeError, ValueError, RuntimeError) as error:  # pydantic's and JSON's errors are ValueErrors
            raise StoreError("The saved Transformer is damaged; delete the file and fit again.") from error
        if n_items is not None and n_items != len(items):
            raise StoreError(f"The saved Transformer knows {len(items)} items and the catalogue has {n_items}: see `over`, or fit again.")
        return cls(config)._serve(network, items)

    def _begin(self, matrix: csr_matrix, sequences: Sequences, held: Ints, start: SequenceTransformer | None) -> tuple[Network, Inputs]:
        """Make the network as it is before training."""
        from scenewise.tools.ranking.transformer.beginnings import place_items
        from scenewise.tools.ranking.transformer.network import Inputs, Network

        n_items, inputs = int(matrix.shape[1]), Inputs.of(self.features, int(matrix.shape[1]))
        n_scenes = 0 if sequences.scenes is None or not self.config.scenes else int(sequences.scenes.max(initial=-1)) + 1
        if start is not None:
            n_scenes = max(n_scenes, start.network.n_scenes)
        network = Network(self.config, n_items=n_items, n_scenes=n_scenes, widths=inputs.widths)
        if start is not None:
            if len(start.items) > n_items or start.network.shapes != network.shapes:
                raise InputError("The model to start from has more items, or other dimensions or features.")
            rows = np.full(n_items, -1, dtype=np.int32)
            rows[: len(start.items)] = np.arange(len(start.items))
            network.take(start.network, rows)
        place_items(network, without_last(sequences, held))
        return network, inputs

    def _mark(self, samples: Samples, inputs: Inputs, network: Network) -> str:
        """Tell one training from another: the settings, the data, and where it starts."""
        mark = hashlib.sha256(self.config.model_dump_json().encode())
        arrays = (samples.rows, samples.weights, samples.scenes, samples.ages, samples.windows)
        for array in (*arrays, inputs.dense, inputs.attributes.indices, inputs.attributes.data, network.ids.numpy(force=True)):
            mark.update(np.ascontiguousarray(array).data)
        return mark.hexdigest()

    def _serve(self, network: Network, items: Scores) -> Self:
        """Keep what scoring needs. `items` float32 (n_items, dim)."""
        self.network, self.items = network.eval(), items
        lengths = np.linalg.norm(items, axis=1, keepdims=True)
        self._unit, self._spoken = items / np.maximum(lengths, 1e-6), lengths[:, 0] > 0
        return self


def _softmax(logits: Scores, spoken: NDArray[np.bool_]) -> Scores:
    """Return the share of each item that anything is known of: float32, like `logits`."""
    if not spoken.any():
        return np.zeros_like(logits)
    out = np.exp(logits - logits.max(where=spoken, initial=-np.inf)) * spoken
    return np.asarray(out / out.sum(), dtype=np.float32)
