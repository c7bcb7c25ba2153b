"""A graph build that is killed: what was done stays, and the same command goes on with the rest."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from scenewise.store import Item, ItemId, Store
from scenewise.tools.graph.extraction.run import BATCH

BUILD = """
import sys, time
from scenewise.store.store import Store
from scenewise.tools.graph.extraction.claims import Claim, Extraction
from scenewise.tools.graph.extraction.run import build_from_texts
from scenewise.tools.graph.schema import load_schema

class Slow:
    name = "slow@1"
    def extract(self, texts):
        print(*(text.node for text in texts), flush=True)
        time.sleep(float(sys.argv[2]))
        return [Extraction((Claim("has_color", "color", "red", "red", 0.9),)) for _ in texts]

with Store.open(sys.argv[1]) as store:
    build_from_texts(store, Slow(), load_schema())
"""


def test_a_killed_build_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with Store.open(path, create=True) as store:
        store.items.upsert(Item(ItemId(f"i{n:03}"), "products", "hat", text=f"a red hat, number {n}") for n in range(5 * BATCH))
    process = subprocess.Popen([sys.executable, "-c", BUILD, str(path), "0.3"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        begun = [process.stdout.readline().split() for _ in range(3)]  # two batches are written, the third is being read
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Store.open(path, read_only=True) as store:
        assert store.find_damage() == []
        done = store.readings.of("text:slow@1")
        assert set(done) >= {*begun[0], *begun[1]}
        assert store.edges.count() == len(done)
    rest = subprocess.run([sys.executable, "-c", BUILD, str(path), "0"], capture_output=True, text=True, check=True).stdout.split()
    assert not set(rest) & set(done)
    with Store.open(path, read_only=True) as store:
        assert len(store.readings.of("text:slow@1")) == store.edges.count() == 5 * BATCH
