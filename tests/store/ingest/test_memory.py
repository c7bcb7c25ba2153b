import subprocess
import sys
from pathlib import Path

import pytest

from scenewise.store import Store
from scenewise.store.types import Item, ItemId

CHILD = """
import resource, sys
from pathlib import Path
from scenewise.store import Store
from scenewise.store.ingest import ingest
with Store.open(sys.argv[1]) as store:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = ingest(store, Path(sys.argv[2]))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, report.written, *report.quarantined)
"""


def load_apart(folder: Path, path: Path) -> list[str]:
    """Load a file in a process of its own; return the growth of its memory in MiB, the rows written, and the reasons."""
    with Store.open(folder / "store", create=True) as store:
        store.items.upsert([Item(ItemId("a"), "books", "A")])
    command = [sys.executable, "-c", CHILD, str(folder / "store"), str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(maxsplit=2)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        file.write("user,item,rating,ts,note\n")
        file.writelines(f"u{n % 97},a,1,{1_000_000_000 + n},{'x' * 2_000}\n" for n in range(100_000))  # 200 MB
    grown_mib, written, *_ = load_apart(tmp_path, path)
    assert written == "100000"
    assert int(grown_mib) < 150


@pytest.mark.slow
def test_memory_does_not_grow_with_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        file.write("user,item,rating,ts\nu,a,1,1000000000\nu,a,1,")
        file.writelines("9" * 1_000_000 for _ in range(200))  # one line of 200 MB
        file.write("\nu,a,1,1000000001\n")
    grown_mib, written, reasons = load_apart(tmp_path, path)
    assert (written, reasons.strip()) == ("2", "field over 1 MB")
    assert int(grown_mib) < 60
