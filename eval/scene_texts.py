"""How well the few-shot classifier of scenes reads labelled texts: accuracy, scope, calibration, time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError, NotFound
from scenewise.tools.retrieval.encoders import Encoders
from scenewise.tools.scene.few_shot import Examples, TextClassifier

OUTSIDE = frozenset({"oos", "none"})
NONE_SHARE = 0.1  # of the texts that are taken to be none of the labels, before one is read
_BINS = 15
_TIMED = 300


@dataclass(frozen=True)
class Labelled:
    """Texts with their labels, None for one that is out of scope."""

    texts: tuple[str, ...]
    labels: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def sample(self, n: int, *, seed: int) -> Labelled:
        """`n` examples of each label at random, all where it has fewer; those out of scope are left out."""
        random = np.random.default_rng(seed)
        rows: list[int] = []
        for label in sorted({label for label in self.labels if label is not None}):
            having = [row for row, other in enumerate(self.labels) if other == label]
            rows += sorted(random.choice(having, min(n, len(having)), replace=False).tolist())
        return Labelled(tuple(self.texts[row] for row in rows), tuple(self.labels[row] for row in rows))


def read_labelled(source: str, *, training: bool) -> Labelled:
    """Read texts and labels; labels "oos" and "none" are out of scope.

    `source` is a path, and after a colon the parts of a JSON object, with + between them ("all.json.gz:train+oos_train"). Without
    parts: those with "train" in their names for training and the others for measuring, all where there are no such. Files: a JSON
    object of lists, a JSON list or JSON lines of [text, label] or of {"text", "label"} ("intent", "scene" or "category" will do), a CSV
    or TSV with such columns, or a folder with `seq.in` and `label`; any may be gzipped. Raises NotFound and InputError.
    """
    path, parts = Path(source), ""
    if not path.exists() and ":" in path.name:
        path, parts = path.with_name(path.name.rpartition(":")[0]), path.name.rpartition(":")[2]
    if not path.exists():
        raise NotFound(f"there is no file {path.name}: give a file or folder of texts and labels")
    try:
        rows = _read_folder(path) if path.is_dir() else _read_file(path, parts, training)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, json.JSONDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read: it must be UTF-8 text in JSON, JSON lines, CSV or TSV, gzipped or not") from error
    if not rows:
        raise InputError(f"{path.name} has no texts with labels")
    labels = tuple(None if label.casefold() in OUTSIDE else label for _, label in rows)
    return Labelled(tuple(text for text, _ in rows), labels)


def run(
    train: Labelled, cases: Labelled, encoders: Encoders, *, tune: bool = True, seed: int = 0, progress: Callable[[int, int | None], None]
) -> dict[str, Any]:
    """Train on the one, measure on the other; a label's own name counts as one more example of it."""
    names = sorted({label for label in train.labels if label is not None})
    examples = Examples.of((*train.texts, *(_as_words(name) for name in names)), (*train.labels, *names))
    encoders.english.encode(["ready"])
    encoders.multilingual.encode(["ready"])
    begun, begun_s = time.process_time(), time.perf_counter()
    classifier = TextClassifier.train(examples, encoders, tune=tune, seed=seed)
    cost = {"train_s": round(time.perf_counter() - begun_s, 1), "train_cpu_s": round(time.process_time() - begun, 1)}
    progress(1, 3)
    log_p, outside = classifier.read(cases.texts)
    progress(2, 3)
    counts = {"n_train": len(train), "n_labels": len(names), "n_cases": len(cases), "tuned": classifier.is_tuned, "seed": seed}
    return counts | measure(names, cases.labels, np.exp(log_p), outside) | cost | _time(classifier, cases.texts)


def measure(names: Sequence[str], labels: Sequence[str | None], p: NDArray[Any], outside: NDArray[Any]) -> dict[str, Any]:
    """The figures. p: float (n, n_names), P(label | in scope); outside: float (n,), log-odds of out of scope at even odds.

    `accuracy`, `macro_f1` and `ece` take the likeliest label of the cases in scope; the `joint` ones have "out of scope" as one more
    answer, taken to be a tenth of all texts before one is read.
    """
    place = {name: number for number, name in enumerate(names)}
    truth = np.array([-1 if label is None else place.get(label, -2) for label in labels])
    inside = truth != -1
    best = p.argmax(axis=1)
    none = 1 / (1 + np.exp(-np.clip(outside + np.log(NONE_SHARE / (1 - NONE_SHARE)), -60, 60)))
    joint = np.where(none > (1 - none) * p.max(axis=1), -1, best)
    certain = np.maximum(none, (1 - none) * p.max(axis=1))
    result: dict[str, Any] = {"joint_accuracy": _share(joint == truth), "joint_ece": expected_calibration_error(certain, joint == truth)}
    if inside.any():
        result["accuracy"] = _share(best[inside] == truth[inside])
        result["macro_f1"] = _macro_f1(truth[inside], best[inside])
        result["ece"] = expected_calibration_error(p.max(axis=1)[inside], best[inside] == truth[inside])
    if inside.any() and not inside.all():
        flagged = joint == -1
        result["oos_recall"] = _share(flagged[~inside])
        result["oos_precision"] = _share(~inside[flagged]) if flagged.any() else 0.0
        result["oos_auroc"] = round(auroc(outside, ~inside), 4)
    return dict(sorted(result.items()))


def expected_calibration_error(confidence: NDArray[Any], right: NDArray[np.bool_]) -> float:
    """Mean distance of confidence and accuracy over 15 bins of equal width, weighed by their cases (Guo et al. 2017)."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float(confidence[bins == b].sum()) - float(right[bins == b].sum())) for b in range(_BINS)]
    return round(sum(gaps) / len(confidence), 4)


def auroc(scores: NDArray[Any], positive: NDArray[np.bool_]) -> float:
    """The chance that a positive scores above a negative, ties half."""
    from scipy.stats import rankdata

    n = int(positive.sum())
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4)


def _macro_f1(truth: NDArray[Any], best: NDArray[Any]) -> float:
    scores = []
    for label in np.unique(truth):
        hit, said, there = int(((best == label) & (truth == label)).sum()), int((best == label).sum()), int((truth == label).sum())
        scores.append(2 * hit / (said + there))
    return round(float(np.mean(scores)), 4)


def _time(classifier: TextClassifier, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds an utterance, one at a time on one thread: by the clock, and of the CPU (which counts where the machine is shared)."""
    import torch

    before, took = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for text in texts[:_TIMED]:
        begun, begun_s = time.process_time(), time.perf_counter()
        classifier.read([f"{text} "])  # not a text that some encoder has kept
        took.append(((time.perf_counter() - begun_s) * 1000, (time.process_time() - begun) * 1000))
    torch.set_num_threads(before)
    wall, cpu = np.array(took).T
    return {f"{name}_p{q}": round(float(np.percentile(ms, q)), 2) for name, ms in (("ms", wall), ("cpu_ms", cpu)) for q in (50, 95)}


def _as_words(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").split())


def _read_folder(path: Path) -> list[tuple[str, str]]:
    files = [path / "seq.in", path / "label"]
    if not all(file.is_file() for file in files):
        raise InputError(f"the folder {path.name} has no files seq.in and label")
    texts, labels = (file.read_text(encoding="utf-8").splitlines() for file in files)
    if len(texts) != len(labels):
        raise InputError(f"in {path.name} seq.in and label differ in their number of lines")
    return [(text.strip(), label.strip()) for text, label in zip(texts, labels, strict=True) if text.strip() and label.strip()]


def _read_file(path: Path, parts: str, training: bool) -> list[tuple[str, str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    kind = path.name.removesuffix(".gz").rpartition(".")[2].casefold()
    if kind in ("csv", "tsv"):
        return [_row(row) for row in csv.DictReader(io.StringIO(text), delimiter="\t" if kind == "tsv" else ",")]
    if kind == "jsonl" or (kind != "json" and text.lstrip()[:1] == "{"):
        return [_row(json.loads(line)) for line in text.splitlines() if line.strip()]
    table = json.loads(text)
    return [_row(row) for row in (_parts_of(table, parts, training) if isinstance(table, dict) else table)]


def _parts_of(table: dict[str, Any], parts: str, training: bool) -> list[Any]:
    known = [name for name, rows in table.items() if isinstance(rows, list)]
    chosen = parts.split("+") if parts else [name for name in known if ("train" in name) == training] or known
    if missing := [name for name in chosen if name not in known]:
        raise InputError(f"there is no part {missing[0]!r} in the file: it has {', '.join(known)}")
    return [row for name in chosen for row in table[name]]


def _row(row: Any) -> tuple[str, str]:
    if isinstance(row, dict):
        label = next((row[key] for key in ("label", "intent", "scene", "category") if row.get(key)), None)
        row = [row.get("text", row.get("utterance")), label]
    if not isinstance(row, list) or len(row) != 2 or not all(isinstance(value, str) and value.strip() for value in row):
        raise InputError('a row of the file is no text and label: write {"text": ..., "label": ...}')
    return row[0].strip(), row[1].strip()
