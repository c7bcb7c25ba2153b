"""A llama model of 30,000 random weights and its tokenizer, in the form of the small model's folder."""

from __future__ import annotations

import json
from pathlib import Path

MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
NAMES = ("Fargo", "Heat", "Alien", "Emma", "Speed", "Shine", "Babe", "Ghost")


def build_tiny_llama(folder: Path) -> Path:
    """Write the model into the folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate([*MARKS, *letters])}, merges=[]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token=MARKS[2], pad_token=MARKS[2], additional_special_tokens=[MARKS[1]]
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=len(letters) + len(MARKS), head_dim=8, tie_word_embeddings=True, initializer_range=0.3, **sizes)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_rows(path: Path, n: int, *, task: str = "plan", first: int = 0) -> Path:
    """Write n rows whose completion is a letter for the way in which a title is asked for."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(first, first + n):
            name = NAMES[number % len(NAMES)]
            said = ("more like {}", "{} please", "films like {}!")[number % 3].format(name)
            messages = [{"role": "system", "content": "Plan."}, {"role": "user", "content": said}]
            row = {
                "task": task,
                "messages": messages,
                "completion": "abc"[number % 3],
                "source": "made up",
                "licence": "CC0-1.0",
                "id": number,
            }
            file.write(json.dumps(row) + "\n")
    return path
