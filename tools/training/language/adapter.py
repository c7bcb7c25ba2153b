"""What a training leaves: a PEFT adapter's folder with its card; and the base with such an adapter merged into it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.network import LEARNED
from scenewise.tools.training.language.rows import Row

WEIGHTS, CONFIG, CARD = "adapter_model.safetensors", "adapter_config.json", "README.md"
BASE_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"


def write_adapter(folder: Path, learned: Mapping[str, Tensor], config: LanguageConfig, *, n_layers: int, card: str) -> None:
    """Write what learned, in float16, as PEFT and vLLM read it. The folder is made where it is missing; its old files are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: one.detach().cpu().to(torch.float16).contiguous() for name, one in sorted(learned.items())}
    stated = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": BASE_NAME,
        "r": config.rank,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "bias": "none",
        "target_modules": sorted(LEARNED),
        "layers_to_transform": list(range(n_layers - config.layers, n_layers)),
        "layers_pattern": "layers",
        "inference_mode": True,
    }
    for name in (WEIGHTS, CONFIG, CARD):
        stage = folder / f".{name}.part"
        if name == WEIGHTS:
            save_file(halves, stage, metadata={"format": "pt"})
        else:
            stage.write_text(card if name == CARD else json.dumps(stated, indent=2) + "\n", encoding="utf-8")
        stage.replace(folder / name)


def read_weights(adapter: Path) -> dict[str, Tensor]:
    """Read what an adapter's training learned, by PEFT's names; InputError where there is none or it is damaged."""
    try:
        return load_file(adapter / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise InputError(f"there is no whole adapter in {adapter}") from error


def read_card(adapter: Path) -> str:
    """Return an adapter's card without its head; "" where it has none."""
    try:
        return (adapter / CARD).read_text(encoding="utf-8").rpartition("\n---\n")[2].strip()
    except OSError:
        return ""


def merge_adapter(base: Path, adapter: Path, target: Path) -> None:
    """Write into the folder `target` the base with the adapter in its weights: W + alpha/r * B A (Hu et al. 2021, equation 3), float32.

    StoreError where the adapter is damaged or of another model.
    """
    try:
        stated = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
        learned = load_file(adapter / WEIGHTS)
        scale = stated["lora_alpha"] / stated["r"]
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise StoreError("The adapter is damaged; install the package again.") from error
    weights = load_file(base / "model.safetensors")
    for name, down in learned.items():
        if name.endswith(".lora_A.weight"):
            plain = name.removeprefix("base_model.model.").replace(".lora_A", "")
            up = learned.get(name.replace(".lora_A", ".lora_B"))
            if up is None or plain not in weights or weights[plain].shape != (up.shape[0], down.shape[1]):
                raise StoreError("The adapter is of another model than the base.")
            weights[plain] = weights[plain].float() + scale * (up.float() @ down.float())
    target.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        if file.is_file() and file.name != "model.safetensors":
            shutil.copy(file, target / file.name)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


def average_adapters(adapters: Sequence[Path], target: Path, command: str) -> None:
    """Write into the folder `target` the mean of adapters of which one was begun with the other, with a card that holds theirs.

    A uniform soup (Wortsman et al. 2022, "Model soups") over the factors A and B of LoRA, not over their products: of trainings that began
    at one point the factors stay near enough to each other for that. InputError where they are fewer than two or not of one shape.
    """
    stated = [_stated(adapter) for adapter in adapters]
    learned = [read_weights(adapter) for adapter in adapters]
    shapes = [{name: one.shape for name, one in weights.items()} for weights in learned]
    if len(adapters) < 2 or any(one != stated[0] for one in stated) or any(one != shapes[0] for one in shapes):
        raise InputError("a mean needs two adapters or more, of the same layers and rank")
    target.mkdir(parents=True, exist_ok=True)
    mean = {name: torch.stack([weights[name].float() for weights in learned]).mean(0).to(torch.float16) for name in sorted(shapes[0])}
    save_file(mean, target / WEIGHTS, metadata={"format": "pt"})
    (target / CONFIG).write_text(json.dumps(stated[0], indent=2) + "\n", encoding="utf-8")
    cards = [f"## Adapter {place}\n\n{_deeper(read_card(adapter))}\n" for place, adapter in enumerate(adapters, 1)]
    (target / CARD).write_text("\n".join((_MEAN_HEAD.format(command=command, n=len(adapters)), *cards)), encoding="utf-8")


_MEAN_HEAD = f"""---
base_model: {BASE_NAME}
library_name: peft
license: apache-2.0
---
# LoRA adapter for Scenewise: a mean

The mean of the weights of {{n}} adapters, of which the second was begun with the first and trained on other pairs: it forgets less of what
the first knew. Their cards follow.

## Made by

`{{command}}`
"""


def _stated(adapter: Path) -> dict[str, object]:
    try:
        return dict(json.loads((adapter / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(f"there is no whole adapter in {adapter}") from error


def _deeper(card: str) -> str:
    """A card whose headings stand two levels deeper."""
    return re.sub(r"^(?=#)", "##", card, flags=re.MULTILINE)


def write_card(rows: Sequence[Row], config: LanguageConfig, figures: Mapping[str, object], command: str, before: str = "") -> str:
    """Return the model card: base, data by task, source and licence, settings, figures on held-back rows, command, seed; and `before`,
    the card of the adapter with which the training began."""
    counts = Counter((row.task, row.source, row.licence) for row in rows)
    data = "\n".join(f"| {task} | {source} | {licence} | {n} |" for (task, source, licence), n in sorted(counts.items()))
    measured = "\n".join(f"| {name} | {value} |" for name, value in figures.items())
    settings = ", ".join(f"{name} {value}" for name, value in config.model_dump().items())
    earlier = f"\n## Begun with an adapter\n\n{_deeper(before)}\n" if before else ""
    return f"""---
base_model: {BASE_NAME}
library_name: peft
license: apache-2.0
---
# LoRA adapter for Scenewise: {", ".join(sorted({row.task for row in rows}))}

Base: {BASE_NAME} (Apache-2.0), as converted from its Q4_1 file by `scenewise llm fetch`. Prompts are rendered with
`prompts/chatml_tools.jinja`; the loss was on completions only.

## Data

| task | source | licence | rows |
|---|---|---|---|
{data}

## Figures

| | |
|---|---|
{measured}

## Made by

`{command}`

Settings: {settings}.
{earlier}"""
