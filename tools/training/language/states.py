"""What the frozen layers give for each row, computed when a row is first needed and kept on the disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scenewise.tools.training.language.network import Layout, Network
from scenewise.tools.training.language.rows import Example, Ints


class States:
    """States before the first layer that learns, float16 on the disk: some 1.2 kB a token at 576 dimensions.

    A row's are computed at its first use, so that a training that is stopped early has not paid for rows it never saw, and one that is
    killed finds again what was done. `mark` says what they were computed from; with another one all begins anew.
    """

    def __init__(self, folder: Path, examples: Sequence[Example], network: Network, *, prefixes: dict[str, int], mark: str) -> None:
        self.examples, self.network, self.prefixes = examples, network, prefixes
        lengths = [len(one.tokens) - 1 - prefixes[one.task] for one in examples]
        self.ends = np.cumsum(lengths, dtype=np.int64)
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.heads = {one.task: one.tokens[: prefixes[one.task]] for one in examples}
        self.shared: dict[str, Tensor] = {}
        shape = (int(self.ends[-1]) if len(lengths) else 0, int(network.model.config.hidden_size))
        fresh = not (folder / "mark.json").is_file() or json.loads((folder / "mark.json").read_text()) != mark
        folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            (folder / "mark.json").unlink(missing_ok=True)
            np.lib.format.open_memmap(folder / "states.npy", mode="w+", dtype=np.float16, shape=shape).flush()
            np.lib.format.open_memmap(folder / "known.npy", mode="w+", dtype=np.bool_, shape=(len(lengths),)).flush()
            (folder / "mark.json").write_text(json.dumps(mark))
        self.kept = np.lib.format.open_memmap(folder / "states.npy", mode="r+")
        self.known = np.lib.format.open_memmap(folder / "known.npy", mode="r+")

    def batch(self, rows: Ints) -> tuple[Tensor, Layout]:
        """Return states (p + b*l, d) of rows of one task, zeros where a row is shorter than the longest, and how they lie."""
        task = self.examples[rows[0]].task
        if task not in self.shared:
            head = torch.from_numpy(self.heads[task].astype(np.int64))
            self.shared[task] = self.network.lower(self.network.embed(head), Layout(0, 1, len(head))).clone()
        self._compute(rows[~self.known[rows]])
        layout = Layout(self.prefixes[task], len(rows), int(self.lengths[rows].max()))
        own = np.zeros((layout.b, layout.l, self.kept.shape[1]), dtype=np.float32)
        for place, row in enumerate(rows):
            own[place, : self.lengths[row]] = self.kept[self.ends[row] - self.lengths[row] : self.ends[row]]
        return torch.cat((self.shared[task], torch.from_numpy(own).flatten(0, 1).to(self.network.device))), layout

    def _compute(self, rows: Ints) -> None:
        if not len(rows):
            return
        p = self.prefixes[self.examples[rows[0]].task]
        layout = Layout(p, len(rows), int(self.lengths[rows].max()))
        tokens = np.zeros((layout.b, layout.l), dtype=np.int64)
        for place, row in enumerate(rows):
            tokens[place, : self.lengths[row]] = self.examples[row].tokens[p:-1]
        head = self.heads[self.examples[rows[0]].task].astype(np.int64)
        given = self.network.embed(torch.from_numpy(np.concatenate((head, tokens.ravel()))))
        made = self.network.lower(given, layout)[p:].view(layout.b, layout.l, -1).to(torch.float16).cpu().numpy()
        for place, row in enumerate(rows):
            self.kept[self.ends[row] - self.lengths[row] : self.ends[row]] = made[place, : self.lengths[row]]
        self.known[rows] = True
