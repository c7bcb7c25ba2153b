"""The training loop: epochs of batches, a look at held-back events after each, and a checkpoint that a crash cannot break."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scenewise.store.errors import InputError
from scenewise.tools.ranking.transformer.checkpoint import read_checkpoint, write_checkpoint
from scenewise.tools.ranking.transformer.config import TransformerConfig
from scenewise.tools.ranking.transformer.loss import cross_entropy, sample_items
from scenewise.tools.ranking.transformer.network import Inputs, Network
from scenewise.tools.ranking.transformer.samples import Batch, Ints, Question, Samples

Report = Callable[[str, int, int], None]
_CPU = torch.device("cpu")
_LEAST = 0.05  # of the learning rate, at the end


class Peers(Protocol):
    """Processes that train one network together: each takes every `n`-th batch from the `rank`-th on, and all make the same steps."""

    rank: int
    n: int

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor, in place, by its mean over the processes."""
        ...


@dataclass
class Course:
    """How far a training has come. `measures`: NDCG@10 on held-back events after each epoch."""

    epoch: int = 0
    elapsed_s: float = 0.0
    best_epoch: int = 0
    measures: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The best measure so far."""
        return max(self.measures, default=-1.0)


class Items:
    """The catalogue's features on the device, and the vectors that the network makes of them."""

    def __init__(self, network: Network, inputs: Inputs, device: torch.device = _CPU) -> None:
        self.network, self.inputs, self.device = network, inputs, device
        self.dense = torch.from_numpy(inputs.dense).to(device)

    def features(self, rows: Ints) -> tuple[Tensor, Tensor, Tensor]:
        """Return what Network.items takes for these rows."""
        places, part = torch.from_numpy(rows).to(self.device), self.inputs.attributes[rows].tocoo()
        where = torch.from_numpy(np.stack((part.row, part.col)).astype(np.int64))
        values = torch.from_numpy(part.data.astype(np.float32))
        sparse = torch.sparse_coo_tensor(where, values, part.shape, device=self.device, check_invariants=False)
        return places, self.dense[places], sparse

    @torch.no_grad()
    def all(self) -> Tensor:
        """Return the vectors of the whole catalogue, (n_items, dim), as they are served."""
        self.network.eval()
        return torch.as_tensor(self.network.items(*self.features(np.arange(len(self.dense)))))


class Training:
    """One training of a network."""

    def __init__(
        self, items: Items, samples: Samples, questions: list[Question], config: TransformerConfig, peers: Peers | None = None
    ) -> None:
        self.items, self.network, self.samples, self.questions, self.config = items, items.network, samples, questions, config
        self.peers, self.rank, self.n_peers = peers, peers.rank if peers else 0, peers.n if peers else 1
        self.device = items.device
        told = samples.rows[np.concatenate([np.arange(begin, begin + n) for begin, n in samples.windows.tolist()])]
        self.rows, counts = np.unique(told, return_counts=True)
        self.popularity = torch.from_numpy(counts / counts.sum()).to(self.device, torch.float32)
        self.local = torch.full((len(items.dense) + 1,), -1, device=self.device)  # the last one is for START, whose row is -1
        self.local[torch.from_numpy(self.rows).to(self.device)] = torch.arange(len(self.rows), device=self.device)
        self.full = items.features(self.rows) if config.full_softmax(len(told), len(self.rows)) else None
        self.n_batches = samples.n_batches(config.tokens) // self.n_peers
        if not self.n_batches:
            raise InputError("There are fewer batches of events than workers: train with fewer workers.")
        matrices = [one for one in self.network.parameters() if one.ndim > 1]
        others = [one for one in self.network.parameters() if one.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.98), fused=True)
        self.course = Course()
        self.kept: dict[str, Tensor] = {}

    def run(self, checkpoint: Path | None, mark: str, report: Report) -> Course:
        """Train to the end and leave the network at its best epoch. A checkpoint with the same `mark` is gone on from."""
        if self.peers is not None:
            self.peers.average(self.network.state_dict().values())  # alike already, but for rounding on unlike machines
        if checkpoint is not None:
            self._resume(checkpoint, mark)
        while not self._over():
            began = time.monotonic()
            # an epoch is the same whether resumed before it or not, and hides other things in each process
            torch.manual_seed((self.config.seed * 100_003 + self.course.epoch) * self.n_peers + self.rank)
            self._epoch(report, began)
            self.course.epoch += 1
            self.course.measures.append(self.measure())
            if not self.questions or self.course.best not in self.course.measures[:-1]:
                self.course.best_epoch = self.course.epoch
                self.kept = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
            self.course.elapsed_s += time.monotonic() - began
            if checkpoint is not None:
                self._save(checkpoint, mark)
        self.network.load_state_dict(self.kept)
        return self.course

    def measure(self) -> float:
        """Return the NDCG@10 on the held-back events, 0 where there are none."""
        self.network.eval()
        gains: list[Tensor] = []
        with torch.no_grad():
            vectors = self.items.all()
            for question in self.questions:
                states = last_states(self.network, vectors, question.batch)
                logits = self.network.users(states) @ unit(vectors).T
                target = torch.from_numpy(question.target).to(self.device)[:, None]
                own = logits.gather(1, target)
                logits[question.seen] = -torch.inf
                rank = (logits >= own).sum(dim=1)
                gains.append(torch.where(rank <= 10, 1 / torch.log2(rank + 1.0), 0.0))
        return float(torch.cat(gains).mean()) if gains else 0.0

    def _over(self) -> bool:
        course, config = self.course, self.config
        late = config.minutes is not None and course.elapsed_s >= config.minutes * 60
        return course.epoch >= config.epochs or (late and course.epoch > 0) or course.epoch - course.best_epoch >= config.patience

    def _epoch(self, report: Report, began: float) -> None:
        self.network.train()
        generator = np.random.default_rng((self.config.seed, self.course.epoch))
        batches = self.samples.batches(self.config.tokens, generator)
        for number, (batch, told) in enumerate(islice(batches, self.rank, self.n_batches * self.n_peers, self.n_peers)):
            step = self.course.epoch * self.n_batches + number
            for group in self.optimiser.param_groups:
                group["lr"] = self.config.lr * self._rate(step, self.course.elapsed_s + time.monotonic() - began)
            self.optimiser.zero_grad(set_to_none=True)
            self._loss(batch, told).backward()  # type: ignore[no-untyped-call]
            if self.peers is not None:
                self.peers.average(one.grad for one in self.network.parameters() if one.grad is not None)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
            self.optimiser.step()
            report("ranker", step + 1, self.config.epochs * self.n_batches)

    def _rate(self, step: int, elapsed_s: float) -> float:
        """Return the share of the learning rate: up, then down as a cosine."""
        total = self.config.epochs * self.n_batches
        done = (step + 1) / total
        if self.config.minutes is not None:
            done = min(1.0, max(done, elapsed_s / (self.config.minutes * 60)))
        rising = self.config.warm_up
        return done / rising if done < rising else _LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * (done - rising) / (1 - rising))) / 2

    def _loss(self, batch: Batch, told: Ints) -> Tensor:
        real = torch.from_numpy(batch.real).to(self.device)
        tensors = on_device(batch, self.device)
        target = self.local[torch.from_numpy(self.samples.rows[told]).to(self.device)[real]]
        inputs = self.local[tensors["rows"]]
        log_q = None
        if self.full is not None:
            chosen, features = None, self.full
        else:
            chosen, log_q = sample_items(target, self.popularity, self.config.n_negatives)
            needed = torch.unique(torch.cat((chosen, inputs[inputs >= 0])))
            features = self.items.features(self.rows[needed.cpu().numpy()])
            chosen, target = torch.searchsorted(needed, chosen), torch.searchsorted(chosen, target)
            inputs = torch.where(inputs >= 0, torch.searchsorted(needed, inputs), inputs)
        vectors = self.network.items(*features)
        states = self.network(vectors, {**tensors, "rows": inputs})[real]
        users, items = self.network.users(states), unit(vectors if chosen is None else vectors[chosen])
        weights = torch.from_numpy(self.samples.weights[told]).to(self.device)[real]
        return cross_entropy(users, items, target, weights, log_q=log_q, smoothing=self.config.smoothing)

    def _save(self, path: Path, mark: str) -> None:
        words = {"course": json.dumps(asdict(self.course))}
        write_checkpoint(path, mark, self.network.state_dict(), self.kept, self.optimiser, words)

    def _resume(self, path: Path, mark: str) -> None:
        """Go on from a checkpoint; start anew where there is none of this training."""
        if (kept := read_checkpoint(path, mark, self.optimiser)) is not None:
            self.network.load_state_dict(kept.now)
            self.kept, self.course = kept.best, Course(**json.loads(kept.words["course"]))


def last_states(network: Network, vectors: Tensor, batch: Batch) -> Tensor:
    """Return the state at the end of each history: (b, dim)."""
    states: Tensor = network(vectors, on_device(batch, vectors.device))
    ends = torch.from_numpy(batch.real.sum(axis=1) - 1).to(vectors.device)
    return states[torch.arange(len(ends), device=vectors.device), ends]


def on_device(batch: Batch, device: torch.device = _CPU) -> dict[str, Tensor]:
    """Turn a batch into tensors by name."""
    return {one.name: torch.from_numpy(getattr(batch, one.name)).to(device) for one in fields(batch) if one.name != "real"}


def unit(vectors: Tensor) -> Tensor:
    """Bring vectors to length 1; those of nothing stay 0."""
    return F.normalize(vectors, dim=-1, eps=1e-6)
