"""Factorisation machines over fields (Rendle 2010, "Factorization Machines"), for clicks and ratings."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.collaborative.factorisation.config import FactorisationConfig
from scenewise.tools.collaborative.factorisation.fields import Columns, Fields, Slots

if TYPE_CHECKING:
    from scenewise.tools.collaborative.factorisation.network import Network

Report = Callable[[int, int], None]
_FORMAT = "scenewise factorisation 1"


@dataclass(frozen=True, eq=False)
class Contributions:
    """What a row's output is the sum of, in log-odds of a click or in points of a rating: `base` (the bias), for each of `fields`
    what its value adds by itself, `first` float32 (n, f), and in pairs with the others, `pairs` float32 (n, f), each pair shared
    half and half, and `head` float32 (n,), of which nothing further is known."""

    fields: tuple[str, ...]
    base: float
    first: NDArray[np.float32]
    pairs: NDArray[np.float32]
    head: NDArray[np.float32]

    def total(self) -> NDArray[np.float32]:
        """Return the sum: float32 (n,)."""
        return np.asarray(self.base + self.first.sum(axis=1) + self.pairs.sum(axis=1) + self.head, dtype=np.float32)


class Factorisation:
    """Tells the chance of a click, or a rating, from fields: user, item, attributes, the moment; see FactorisationConfig and Network.

    A word that was not seen in training has its field's row for the unknown, a missing one adds nothing. Numbers are standardised.
    With a validation part the chance of a click is calibrated on it (Platt 1999), which leaves the order of rows as it is.
    """

    fields: Fields
    networks: list[Network]  # its members

    def __init__(self, config: FactorisationConfig | None = None) -> None:
        self.config = config or FactorisationConfig()

    def fit(
        self,
        columns: Columns,
        targets: NDArray[np.float32],
        *,
        validation: tuple[Columns, NDArray[np.float32]] | None = None,
        report: Report = lambda done, total: None,
    ) -> Self:
        """Learn from columns of n rows and targets float32 (n,). Without `validation` all epochs are run; with it training stops early.

        `report` is called after each epoch with how many are done and how many there are at most. InputError for targets that are not
        finite or, of clicks, not 0 or 1.
        """
        import torch

        from scenewise.tools.collaborative.factorisation.training import Rows, outputs, train

        config, click = self.config, self.config.target == "click"
        device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device)
        self.fields = Fields.fit(columns, min_count=config.min_count)
        self.low, self.high = _range(targets, click=click)
        rows, held = Rows.of(self.fields.encode(columns), targets, device), None
        if validation is not None:
            _range(validation[1], click=click)
            held = Rows.of(self.fields.encode(validation[0]), validation[1], device)
        mean, done = float(np.mean(targets)), count(1)
        with torch.random.fork_rng(devices=[]):
            self.networks = []
            for member in range(config.members):
                torch.manual_seed(config.seed + member)
                network = self._network(_log_odds(mean) if click else mean).to(device)
                train(network, rows, held, config, lambda: report(next(done), config.members * config.epochs))
                self.networks.append(network)
        self.slope, self.shift = 1.0, 0.0
        if held is not None and click:
            logits = torch.stack([outputs(network, held.place, held.share) for network in self.networks]).mean(dim=0)
            self.slope, self.shift = _calibrated(logits.cpu().numpy(), held.target.cpu().numpy())
        self.networks = [network.cpu() for network in self.networks]
        return self

    def predict(self, columns: Columns) -> NDArray[np.float32]:
        """Return the chance of a click, or the rating within the range seen: float32 (n,). InputError for fields it does not know."""
        return self.score(self.encode(columns))

    def encode(self, columns: Columns) -> Slots:
        """Look columns up for `score`. Parts may be looked up apart, once and for all (items), and put together with `beside`."""
        return self.fields.encode(columns)

    def score(self, slots: Slots) -> NDArray[np.float32]:
        """Return what `predict` does: float32 (n,)."""
        import torch

        from scenewise.tools.collaborative.factorisation.training import outputs

        place, share = torch.from_numpy(slots.place), torch.from_numpy(slots.share)
        out = np.mean([outputs(network, place, share).numpy() for network in self.networks], axis=0)
        if self.config.target == "rating":
            return np.asarray(np.clip(out, self.low, self.high), dtype=np.float32)
        return np.asarray(expit(self.slope * out + self.shift), dtype=np.float32)

    def contributions(self, columns: Columns) -> Contributions:
        """Take the outputs apart, n rows. The total is the log-odds of the chance that `predict` gives, or the rating before it is
        kept within its range."""
        import torch

        slots = self.encode(columns)
        place, share = torch.from_numpy(slots.place), torch.from_numpy(slots.share)
        with torch.inference_mode():
            parts = [network.parts(place, share) for network in self.networks]
            first, pairs, head = (torch.stack([*part]).mean(dim=0).numpy() * np.float32(self.slope) for part in zip(*parts, strict=True))
        bias = float(np.mean([float(network.bias.detach()) for network in self.networks]))
        return Contributions(tuple(self.fields.widths), self.slope * bias + self.shift, first, pairs, head)

    def save(self, path: Path) -> None:
        """Write the machines as safetensors, with settings and words of the fields in its head, atomically."""
        from scenewise.tools.ranking.transformer.files import write_tensors

        tensors = {f"{member}.{name}": one for member, network in enumerate(self.networks) for name, one in network.state_dict().items()}
        numbers = {"low": self.low, "high": self.high, "slope": self.slope, "shift": self.shift}
        words = {
            "format": _FORMAT,
            "config": self.config.model_dump_json(),
            "fields": self.fields.to_json(),
            "numbers": json.dumps(numbers),
        }
        write_tensors(path, tensors, words)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what save wrote. NotFound, StoreError."""
        from scenewise.tools.ranking.transformer.files import read_tensors

        tensors, words = read_tensors(path)
        if words.get("format") != _FORMAT:
            raise StoreError("The file holds no factorisation machine of this version; fit it again.")
        try:
            model = cls(FactorisationConfig.model_validate_json(words["config"]))
            model.fields = Fields.from_json(words["fields"])
            numbers = json.loads(words["numbers"])
            model.low, model.high, model.slope, model.shift = (float(numbers[name]) for name in ("low", "high", "slope", "shift"))
            model.networks = [model._network() for _ in range(model.config.members)]
            for member, network in enumerate(model.networks):
                own = f"{member}."
                network.load_state_dict({name.removeprefix(own): one for name, one in tensors.items() if name.startswith(own)})
                network.eval()
        except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            raise StoreError("The saved model is damaged; delete the file and fit again.") from error
        return model

    def _network(self, start: float = 0.0) -> Network:
        from scenewise.tools.collaborative.factorisation.network import Network

        return Network(self.config, n_rows=self.fields.starts[-1], field_of_slot=self.fields.field_of_slot, start=start)


def _range(targets: NDArray[np.float32], *, click: bool) -> tuple[float, float]:
    """Return the smallest and the largest target. InputError where they cannot be learned from."""
    if not len(targets) or not np.isfinite(targets).all():
        raise InputError("There must be at least one target, and all of them finite.")
    if click and not np.isin(targets, (0, 1)).all():
        raise InputError("Targets of clicks are 0 or 1; for ratings choose the target rating.")
    return float(targets.min()), float(targets.max())


def _log_odds(chance: float) -> float:
    return float(logit(min(max(chance, 1e-4), 1 - 1e-4)))


def _calibrated(logits: NDArray[np.float32], happened: NDArray[np.float32]) -> tuple[float, float]:
    """Return slope and shift with which the log-odds say how often it happens (Platt 1999, with his smoothed targets); 1 and 0 where
    they would turn the order round."""
    n_true = float(happened.sum())
    n_false = len(happened) - n_true
    target = np.where(happened > 0, (n_true + 1) / (n_true + 2), 1 / (n_false + 2))

    def loss(at: NDArray[np.float64]) -> float:
        odds = at[0] * logits + at[1]
        return float(np.mean(np.logaddexp(0, odds) - target * odds))

    slope, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return (float(slope), float(shift)) if slope > 0 else (1.0, 0.0)
