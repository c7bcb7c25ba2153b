"""Copy written by workers on Ray: the evidence is gathered here, where the store is; each worker asks the LLM, judges and writes.

Workers need this package and a way to the LLM, not the store. What they are sent and give back is plain data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from typing import Any

from scenewise.agent.item_copy import Copy, ItemWriter, Wanted
from scenewise.agent.model import VllmModel
from scenewise.store.errors import InputError, ModelError
from scenewise.store.item_json import WrittenItem, item_json
from scenewise.store.types import Item, ItemId
from scenewise.tools.cluster import ray_cluster
from scenewise.tools.copywriter.evidence import EvidenceRow
from scenewise.tools.copywriter.style import Style

Write = Callable[[Item, Sequence[EvidenceRow]], Awaitable[tuple[Copy, ...]]]
RETRIES = 3
"""How often a worker that dies is begun anew, and an item that it had tried again."""


class CopyWorker:
    """A worker: an `ItemWriter` of its own, out of plain data."""

    def __init__(self, stated: Mapping[str, Any]) -> None:
        model = VllmModel(*stated["model"][:2], api_key=stated["model"][2]) if stated["model"] else None
        style: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stated["style"].items()}
        style["domains"] = frozenset(style["domains"])
        self._writer = ItemWriter(Wanted(**stated["wanted"]), Style(**style), model, stated["form"], stated["insist"])

    async def write(self, item: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the item's texts as records, or why the LLM does not answer."""
        evidence = [EvidenceRow(**row | {"values": tuple(row["values"])}) for row in map(dict, rows)]
        try:
            copies = await self._writer.write(WrittenItem.model_construct(**item).item(), evidence)
        except ModelError as error:
            return {"error": str(error), "reason": error.reason}
        return {"copies": [copy.to_record() for copy in copies]}


@contextmanager
def ray_workers(workers: int, at_once: int) -> Iterator[Callable[[ItemWriter], Write]]:
    """Give a function that makes, of what one process would write with, a way to write with `workers` of them, each with its share of the
    `at_once` items in flight. InputError where Ray is not installed."""
    with ray_cluster(workers) as ray:

        def started(writer: ItemWriter) -> Write:
            stated = plain(writer)
            share = max(1, -(-at_once // workers))
            options = {"num_cpus": 1, "max_restarts": RETRIES, "max_task_retries": RETRIES, "max_concurrency": share}
            actors = [ray.remote(CopyWorker).options(**options).remote(stated) for _ in range(workers)]
            busy = [0] * workers

            async def write(item: Item, rows: Sequence[EvidenceRow]) -> tuple[Copy, ...]:
                place = busy.index(min(busy))
                busy[place] += 1
                try:
                    answer = await actors[place].write.remote(item_json(item), [asdict(row) for row in rows])
                finally:
                    busy[place] -= 1
                if "error" in answer:
                    raise ModelError(answer["error"], reason=answer["reason"])
                return tuple(copy_of(record) for record in answer["copies"])

            return write

        yield started


def plain(writer: ItemWriter) -> dict[str, Any]:
    """What a writer is made of, as plain data. InputError for an LLM that other processes cannot ask."""
    model = writer.model
    if model is not None and not isinstance(model, VllmModel):
        raise InputError("workers ask an LLM over HTTP: this one is of this process")
    style = {one.name: getattr(writer.style, one.name) for one in fields(Style)}
    return {
        "wanted": asdict(replace(writer.wanted, audience=None)),
        "style": style | {"domains": sorted(writer.style.domains)},
        "model": (model.url, model.name, model.api_key) if model is not None else None,
        "form": writer.form,
        "insist": writer.insist,
    }


def copy_of(record: Mapping[str, Any]) -> Copy:
    """A text out of its record."""
    lists = {
        "item_id": ItemId(record["item_id"]),
        "claims": tuple((str(text), tuple(rows)) for text, rows in record["claims"]),
        "evidence": tuple((str(row_id), str(text)) for row_id, text in record["evidence"]),
        "refused": tuple(record["refused"]),
    }
    return Copy(**{**record, **lists})
