"""The Transformer's fit as a Ray Train job: N workers on one machine or many, each with a share of the batches.

Set RAY_ADDRESS to use a cluster that runs already; its machines need this package, and the store's folder under the same path. Without
it a cluster of this machine alone is started, on loopback, and stopped at the end.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scenewise.store.errors import InputError, ToolFailed
from scenewise.tools.cluster import ray_cluster
from scenewise.tools.collaborative.interactions import Interactions, from_columns
from scenewise.tools.collaborative.model import csr_arrays, csr_from, load_arrays, save_arrays
from scenewise.tools.features import ItemFeatures
from scenewise.tools.training.ranker import Engine, Fit, Report

if TYPE_CHECKING:
    from torch import Tensor

    from scenewise.tools.ranking.transformer import SequenceTransformer


@contextmanager
def ray_engine(workers: int) -> Iterator[Engine]:
    """Give an engine that fits on Ray. InputError where Ray is not installed."""
    with ray_cluster(workers):
        yield lambda fit, report: _fit(fit, report, workers)


def _fit(fit: Fit, report: Report, workers: int) -> SequenceTransformer:
    from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.torch import TorchTrainer

    from scenewise.tools.ranking.transformer import SequenceTransformer
    from scenewise.tools.ranking.transformer.training import Course

    if fit.config.minutes is not None:
        raise InputError("workers keep step by epochs, not by the clock: with --engine ray give --epochs in place of --minutes")
    job = fit.checkpoint.parent / "ray"
    shutil.rmtree(job, ignore_errors=True)
    job.mkdir(parents=True)
    write_events(job / "events.parquet", fit.interactions)
    _write_features(job / "features.npz", fit.features)
    if fit.start is not None:
        fit.start.save(job / "start.safetensors")
    stated = {"job": str(job), "checkpoint": str(fit.checkpoint), "config": fit.config.model_dump_json()}
    report("ranker (Ray)", 0, 1)
    trainer = TorchTrainer(
        _work,
        train_loop_config={**stated, "shape": list(fit.interactions.matrix.shape)},
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(name="run", storage_path=str(job), failure_config=FailureConfig(max_failures=2)),
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        raise ToolFailed("the Ray job failed; its log is in Ray's session folder, and the earlier version stays") from error
    model = SequenceTransformer.load(job / "model.safetensors")
    model.course = Course(**json.loads((job / "course.json").read_text()))
    shutil.rmtree(job)
    report("ranker (Ray)", 1, 1)
    return model


def _work(stated: dict[str, Any]) -> None:
    """Fit, in a worker, what the job's folder holds; the first worker writes the model. After a failure all go on from the checkpoint."""
    from dataclasses import asdict

    import ray.train

    from scenewise.tools.ranking.transformer import SequenceTransformer, TransformerConfig
    from scenewise.tools.ranking.transformer.training import Course

    job, (n_users, n_items) = Path(stated["job"]), stated["shape"]
    interactions = read_events(job / "events.parquet", shape=(n_users, n_items))
    model = SequenceTransformer(TransformerConfig.model_validate_json(stated["config"]), _read_features(job / "features.npz"))
    start = SequenceTransformer.load(job / "start.safetensors") if (job / "start.safetensors").is_file() else None
    peers = _Workers()
    model.fit(interactions.matrix, interactions.sequences, start=start, checkpoint=Path(stated["checkpoint"]), peers=peers)
    if peers.rank == 0:
        model.save(job / "model.safetensors")
        (job / "course.json").write_text(json.dumps(asdict(model.course or Course())))
    ray.train.report({})


class _Workers:
    """The workers of a job, as torch's process group has them."""

    def __init__(self) -> None:
        import torch.distributed as group

        self.rank, self.n = group.get_rank(), group.get_world_size()

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Take the mean over the workers, all tensors in one message."""
        import torch
        import torch.distributed as group

        listed = list(tensors)
        flat = torch.cat([one.reshape(-1) for one in listed])
        group.all_reduce(flat)
        flat /= self.n
        for one, mean in zip(listed, torch.split(flat, [one.numel() for one in listed]), strict=True):
            one.copy_(mean.view_as(one))


def write_events(path: Path, interactions: Interactions) -> None:
    """Write the events of interactions as Parquet: user and item (rows), worth, time_s, scene (-1: none), oldest first by user."""
    import polars as pl

    sequences = interactions.sequences
    columns = {"user": sequences.user_of_event(), "item": sequences.rows, "worth": interactions.worth, "time_s": sequences.times_s}
    scenes = np.full(len(sequences.rows), -1, dtype=np.int16) if sequences.scenes is None else sequences.scenes
    pl.DataFrame({**columns, "scene": scenes}).write_parquet(path)


def read_events(path: Path, *, shape: tuple[int, int]) -> Interactions:
    """Read what write_events wrote. `shape`: users, items."""
    import polars as pl

    table = pl.read_parquet(path)
    users, rows, worth, times_s, scenes = (table[name].to_numpy() for name in ("user", "item", "worth", "time_s", "scene"))
    return from_columns(users, rows, times_s, worth, shape=shape, scenes=scenes if (scenes >= 0).any() else None)


def _write_features(path: Path, features: ItemFeatures) -> None:
    dense = {name: part for name, part in (("text", features.text), ("graph", features.graph)) if part is not None}
    save_arrays(path, {**csr_arrays(features.attributes), "domain": features.domain, **dense})


def _read_features(path: Path) -> ItemFeatures:
    arrays = load_arrays(path)
    return ItemFeatures(csr_from(arrays), arrays["domain"], arrays.get("text"), arrays.get("graph"))
