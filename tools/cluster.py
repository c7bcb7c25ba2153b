"""A Ray cluster for a job: that of RAY_ADDRESS, else one of this machine alone, on loopback, stopped at the end."""

from __future__ import annotations

import logging
import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scenewise.store.errors import InputError

_STORE_MB = 100  # Ray's object store: what jobs send is small, or travels as files


@contextmanager
def ray_cluster(workers: int) -> Iterator[Any]:
    """Give the module `ray`, connected. InputError where it is not installed."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    alone = not os.environ.get("RAY_ADDRESS")
    if alone:  # nothing but loopback, and nobody else on it
        own = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "GLOO_SOCKET_IFNAME": "lo", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        os.environ.update(own)
    try:
        import ray
    except ImportError as error:
        raise InputError("--engine ray needs Ray: install the extra `distributed` (pip install 'scenewise[distributed]')") from error
    with tempfile.TemporaryDirectory(prefix="scenewise-") as folder:
        local: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": _STORE_MB * 2**20}
        local |= {"_temp_dir": folder, "_node_ip_address": "127.0.0.1"}
        local["runtime_env"] = {"py_executable": shlex.quote(sys.executable)}  # Ray puts it in a line of bash as it is
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **(local if alone else {}))
        try:
            yield ray
        finally:
            ray.shutdown()
