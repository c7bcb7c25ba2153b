from collections.abc import Iterator
from pathlib import Path

import pytest

from scenewise.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, clock=lambda: 1_000.0) as opened:
        yield opened
