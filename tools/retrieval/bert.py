"""BERT as a sentence encoder (Devlin et al. 2019, arXiv:1810.04805), in two halves: the lower layers are run once and shared.

A model library takes seconds to import and half of a short text's time to walk through; the layers themselves are few lines. A test holds
them to sentence-transformers' own vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

KEPT_LAYERS = 3
_BATCH = 64
_HEADS = 12
_EPS = 1e-12
Layer = dict[str, "torch.Tensor"]


class Bert:
    """Weights and tokenizer of a BERT with 12 heads; nothing in it changes, so several threads may use it."""

    def __init__(self, weights: Mapping[str, torch.Tensor], tokenizer: Path) -> None:
        """weights: as in the model's safetensors file; tokenizer: its tokenizer.json."""
        from tokenizers import Tokenizer

        self._words, self._places, self._kinds = (
            weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        self._norm = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
        layers = _layers_of(weights)
        self.lower, self.upper = layers[:KEPT_LAYERS], layers[KEPT_LAYERS:]
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._latest: tuple[list[int], torch.Tensor] | None = None

    @property
    def dim(self) -> int:
        """The vectors' length."""
        return int(self._words.shape[1])

    def tokenise(self, texts: Sequence[str], *, most: int) -> list[list[int]]:
        """The tokens of each text, at most `most`: those in the middle of [CLS] and [SEP] are cut at the end."""
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        return [ids if len(ids) <= most else [*ids[: most - 1], ids[-1]] for ids in rows]

    def lift(self, rows: Sequence[list[int]]) -> list[torch.Tensor]:
        """What the lower layers make of tokens: float32 (n_tokens, dim) each. A single text's is kept for whoever asks for it next."""
        import torch

        kept = self._latest
        if len(rows) == 1 and kept is not None and kept[0] == rows[0]:
            return [kept[1]]
        with torch.inference_mode():
            ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)  # (n, n_tokens)
            hidden = self._words[ids] + self._places[: ids.shape[1]] + self._kinds[0]
            hidden = torch.nn.functional.layer_norm(hidden, hidden.shape[-1:], *self._norm, eps=_EPS)
            hidden = _run(self.lower, hidden, [len(row) for row in rows], dropout=0.0)
        lifted = [row[: len(tokens)] for row, tokens in zip(hidden, rows, strict=True)]
        if len(rows) == 1:
            self._latest = rows[0], lifted[0]
        return lifted

    def encode(self, texts: Sequence[str], *, most: int, upper: Sequence[Layer] | None = None) -> NDArray[np.float32]:
        """Encode texts by the upper layers, its own or those given: float32 (n, dim), rows of length 1."""
        import torch

        rows = self.tokenise(texts, most=most)
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        result = np.empty((len(rows), self.dim), dtype=np.float32)
        with torch.inference_mode():
            for at in range(0, len(rows), _BATCH):
                batch = order[at : at + _BATCH]
                result[batch] = pool(self.lift([rows[row] for row in batch]), self.upper if upper is None else upper).numpy()
        return result


def pool(lifted: Sequence[torch.Tensor], upper: Sequence[Layer], *, dropout: float = 0.0) -> torch.Tensor:
    """From what `Bert.lift` gave to the mean of the upper layers' tokens, rows of length 1: float32 (n, dim)."""
    import torch

    lengths = [len(row) for row in lifted]
    hidden = _run(upper, torch.nn.utils.rnn.pad_sequence(list(lifted), batch_first=True), lengths, dropout=dropout)
    mask = _mask(lengths, hidden.shape[1])[..., None].to(hidden.dtype)
    return torch.nn.functional.normalize((hidden * mask).sum(1), dim=1)


def _run(layers: Sequence[Layer], hidden: torch.Tensor, lengths: Sequence[int], *, dropout: float) -> torch.Tensor:
    """hidden: float32 (n, n_tokens, dim), padded after `lengths` tokens."""
    import torch

    function = torch.nn.functional
    n, n_tokens, dim = hidden.shape
    away = None if min(lengths) == n_tokens else _mask(lengths, n_tokens)[:, None, None, :]
    for layer in layers:
        qkv = function.linear(hidden, layer["qkv.weight"], layer["qkv.bias"]).view(n, n_tokens, 3, _HEADS, dim // _HEADS)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # (n, n_heads, n_tokens, dim / n_heads) each
        seen = function.scaled_dot_product_attention(query, key, value, attn_mask=away, dropout_p=dropout)
        seen = function.linear(seen.transpose(1, 2).reshape(n, n_tokens, dim), layer["out.weight"], layer["out.bias"])
        hidden = _norm(hidden + function.dropout(seen, dropout), layer, "norm1")
        wide = function.gelu(function.linear(hidden, layer["wide.weight"], layer["wide.bias"]))
        narrow = function.linear(wide, layer["narrow.weight"], layer["narrow.bias"])
        hidden = _norm(hidden + function.dropout(narrow, dropout), layer, "norm2")
    return hidden


def _norm(hidden: torch.Tensor, layer: Layer, name: str) -> torch.Tensor:
    import torch

    return torch.nn.functional.layer_norm(hidden, hidden.shape[-1:], layer[f"{name}.weight"], layer[f"{name}.bias"], eps=_EPS)


def _mask(lengths: Sequence[int], n_tokens: int) -> torch.Tensor:
    import torch

    return torch.arange(n_tokens) < torch.tensor(lengths)[:, None]


def _layers_of(weights: Mapping[str, torch.Tensor]) -> list[Layer]:
    """Query, key and value of a layer as one matrix, the rest as it is, by short names."""
    import torch

    layers: list[Layer] = []
    while (of := f"encoder.layer.{len(layers)}.") + "output.dense.weight" in weights:
        maps = {"out": "attention.output.dense", "wide": "intermediate.dense", "narrow": "output.dense"}
        maps |= {"norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}
        layer = {f"{short}.{part}": weights[f"{of}{name}.{part}"] for short, name in maps.items() for part in ("weight", "bias")}
        for part in ("weight", "bias"):
            layer[f"qkv.{part}"] = torch.cat([weights[f"{of}attention.self.{name}.{part}"] for name in ("query", "key", "value")])
        layers.append(layer)
    return layers
