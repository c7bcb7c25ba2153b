"""The loop: steps over rows of like length, looks at held-back rows, checkpoints that a kill cannot break."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scenewise.tools.ranking.transformer.checkpoint import read_checkpoint, write_checkpoint
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.network import Network
from scenewise.tools.training.language.rows import Ints
from scenewise.tools.training.language.states import States

Report = Callable[[str, int, int], None]
_LEAST = 0.05  # of the learning rate, at the end
_MIXED = 6  # tokens by which lengths are shaken before rows of like length are put together


@dataclass(frozen=True)
class Look:
    """What the held-back rows said after `step` steps: nats a token, and the share of rows of which every token comes first (which is
    what greedy decoding answers exactly), of all and by task."""

    step: int
    trained_loss: float
    loss: float
    exact: float
    exact_of: dict[str, float] = field(default_factory=dict)


@dataclass
class Course:
    """How far a training has come; `n_tokens`: real tokens of the steps of `stepping_s` seconds."""

    step: int = 0
    elapsed_s: float = 0.0
    n_tokens: int = 0
    stepping_s: float = 0.0
    looks: list[Look] = field(default_factory=list)
    best_step: int = -1

    @property
    def best(self) -> Look:
        """The look that was kept."""
        return next(look for look in self.looks if look.step == self.best_step)

    @property
    def tokens_per_s(self) -> float:
        """Real tokens a second, the shared beginnings not counted."""
        return self.n_tokens / max(self.stepping_s, 1e-9)


class Training:
    """One training of a network on `rows`, looked at on `dev`."""

    def __init__(self, network: Network, rows: States, dev: States, config: LanguageConfig) -> None:
        self.network, self.rows, self.dev, self.config = network, rows, dev, config
        learned = [one for one in network.model.parameters() if one.requires_grad]
        self.optimiser = torch.optim.AdamW(learned, lr=config.lr, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True)
        self.learned, self.course, self.kept = learned, Course(), dict[str, Tensor]()
        self.recent: list[float] = []
        self.n_batches = len(self._batches(0))

    def run(self, checkpoint: Path, mark: str, report: Report) -> Course:
        """Train to the end and leave the network at its best look. A checkpoint with the same mark is gone on from."""
        self._resume(checkpoint, mark)
        began = time.monotonic() - self.course.elapsed_s
        order = self._order()
        while (done := self._done(time.monotonic() - began)) < 1:
            self._step(next(order), done)
            self.course.elapsed_s = time.monotonic() - began
            self._say(report)
            if self._done(self.course.elapsed_s) * self.config.looks >= len(self.course.looks) + 1:
                self._keep_best(report)
                self.course.elapsed_s = time.monotonic() - began
                self._save(checkpoint, mark)
            elif self.course.step % self.config.keep_every == 0:
                self._save(checkpoint, mark)
        if not self.course.looks or self.course.looks[-1].step != self.course.step:
            self._keep_best(report)
        self.network.learn(self.kept)
        return self.course

    def look(self) -> Look:
        """Measure on the held-back rows."""
        loss, n_tokens = 0.0, 0
        right: dict[str, list[bool]] = {task: [] for task in self.dev.heads}
        self.network.model.eval()
        with torch.no_grad():
            for rows in batches(self.dev, self.config.tokens, None):
                states, target, owner = self._answer(self.dev, rows)
                logits = self.network.logits(states)
                loss += float(F.cross_entropy(logits, target, reduction="sum"))
                n_tokens += len(target)
                wrong = set(owner[logits.argmax(dim=1) != target].tolist())
                right[self.dev.examples[rows[0]].task] += [place not in wrong for place in range(len(rows))]
        exact = float(np.mean([one for of in right.values() for one in of]))
        trained = sum(self.recent) / max(len(self.recent), 1)
        exact_of = {task: round(float(np.mean(of)), 4) for task, of in right.items()}
        return Look(self.course.step, round(trained, 4), round(loss / n_tokens, 4), round(exact, 4), exact_of)

    def _answer(self, states: States, rows: Ints) -> tuple[Tensor, Tensor, Tensor]:
        """Return last states (n, d) and targets (n,) at the places of the completions, and whose they are (n,), 0 to len(rows)."""
        given, layout = states.batch(rows)
        at: list[Ints] = []
        targets: list[Ints] = []
        for place, row in enumerate(rows):
            one = states.examples[row]
            first = one.n_prompt - 1 - layout.p
            at.append(np.arange(first, states.lengths[row], dtype=np.int32) + place * layout.l + layout.p)
            targets.append(one.tokens[one.n_prompt :])
        device = self.network.device
        where = torch.from_numpy(np.concatenate(at)).to(device)
        owner = torch.from_numpy(np.repeat(np.arange(len(rows)), [len(one) for one in at])).to(device)
        last = self.network.upper(given, layout)[where]
        return last, torch.from_numpy(np.concatenate(targets).astype(np.int64)).to(device), owner

    def _step(self, rows: Ints, done: float) -> None:
        began = time.monotonic()
        torch.manual_seed(self.config.seed * 1_000_003 + self.course.step)  # for dropout: the same after a kill as without one
        self.network.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.lr * rate(done, self.config.warm_up)
        states, target, _ = self._answer(self.rows, rows)
        loss = self.network.loss(states, target)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.learned, self.config.clip)
        self.optimiser.step()
        self.recent = [*self.recent[-49:], float(loss.detach())]
        self.course.step += 1
        self.course.n_tokens += int(self.rows.lengths[rows].sum())
        self.course.stepping_s += time.monotonic() - began

    def _keep_best(self, report: Report) -> None:
        report("looking at held-back rows", 0, 1)
        course, look = self.course, self.look()
        if not course.looks or (look.exact, -look.loss) > (course.best.exact, -course.best.loss):
            course.best_step = course.step
            self.kept = {name: one.detach().clone() for name, one in self.network.learned().items()}
        course.looks.append(look)
        report(f"looking at held-back rows: loss {look.loss:.3f}, exact {look.exact:.3f}", 1, 1)

    def _say(self, report: Report) -> None:
        total, course = self.n_batches * self.config.epochs, self.course
        done = self._done(course.elapsed_s)
        left_min = course.elapsed_s / 60 * (1 - done) / max(done, 1e-9)
        words = f"training: loss {self.recent[-1]:.3f}, {course.tokens_per_s:.0f} tokens/s, {left_min:.0f} min left"
        report(words, course.step, min(total, max(course.step, round(course.step / max(done, 1e-9)))))

    def _done(self, elapsed_s: float) -> float:
        """The share of the training that is over, by steps or by the clock, whichever is further."""
        by_steps = self.course.step / (self.n_batches * self.config.epochs)
        return by_steps if self.config.minutes is None else max(by_steps, elapsed_s / (self.config.minutes * 60))

    def _batches(self, epoch: int) -> list[Ints]:
        return batches(self.rows, self.config.tokens, np.random.default_rng((self.config.seed, epoch)))

    def _order(self) -> Iterator[Ints]:
        """Batches from the current step on."""
        epoch, first = divmod(self.course.step, self.n_batches)
        while True:
            order = self._batches(epoch)
            # an epoch's lengths are shaken anew, so it may have a batch more or fewer; it is held to the first one's number
            yield from (order * 2)[first : self.n_batches]
            epoch, first = epoch + 1, 0

    def _save(self, path: Path, mark: str) -> None:
        words = {"course": json.dumps(asdict(self.course)), "recent": json.dumps(self.recent)}
        write_checkpoint(path, mark, self.network.learned(), self.kept, self.optimiser, words)

    def _resume(self, path: Path, mark: str) -> None:
        """Go on from a checkpoint; start anew where there is none of this training."""
        if (kept := read_checkpoint(path, mark, self.optimiser)) is None:
            return
        self.network.learn(kept.now)
        course: dict[str, Any] = json.loads(kept.words["course"])
        self.kept, self.recent = kept.best, json.loads(kept.words["recent"])
        self.course = Course(**{**course, "looks": [Look(**look) for look in course["looks"]]})


def batches(states: States, tokens: int, generator: np.random.Generator | None) -> list[Ints]:
    """Put rows of one task and like length together, at most so many tokens a batch (one row at least); shuffled where there is a
    generator, else by length."""
    shaken = states.lengths + (generator.uniform(0, _MIXED, len(states.lengths)) if generator is not None else 0.0)
    out: list[Ints] = []
    for task in states.heads:
        of_task = np.asarray([row for row, one in enumerate(states.examples) if one.task == task], dtype=np.int32)
        open_: list[int] = []
        longest = 0
        for row in of_task[np.argsort(shaken[of_task], kind="stable")].tolist():
            longest = max(longest, int(states.lengths[row]))
            if open_ and longest * (len(open_) + 1) > tokens:
                out.append(np.asarray(open_, dtype=np.int32))
                open_, longest = [], int(states.lengths[row])
            open_.append(row)
        if open_:
            out.append(np.asarray(open_, dtype=np.int32))
    if generator is not None:
        out = [out[place] for place in generator.permutation(len(out))]
    return out


def rate(done: float, rising: float) -> float:
    """Return the share of the learning rate when so much of the training is over: up in a line, then down as a cosine."""
    if done < rising:
        return (done + 1e-3) / (rising + 1e-3)
    return _LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * (done - rising) / (1 - rising))) / 2
