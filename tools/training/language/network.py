"""A llama model run by hand: rows of one task side by side behind the prompt's beginning that they share, layers in two halves.

The shared beginning is computed once a batch and seen by every row, which is the same as giving it to each (a causal model's states do
not depend on what comes later); layers that do not learn are run apart, so that what they give can be kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scenewise.store.errors import InputError
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.loss import cross_entropy

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LEARNED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Layout:
    """How states (p + b*l, d) are to be read: `p` shared positions, then `b` rows of `l` positions, padded at their ends."""

    p: int
    b: int
    l: int  # noqa: E741


class Network:
    """The model, its lower layers frozen, its upper ones with LoRA."""

    def __init__(self, base: Path, config: LanguageConfig, *, learned: bool = True) -> None:
        self.device = torch.device(_device(config.device))
        self.dtype = torch.bfloat16 if _bfloat16(config.precision, self.device) else torch.float32
        model: Any = load_base(base)
        n_layers = len(model.model.layers)
        if config.layers > n_layers:
            raise InputError(f"the model has {n_layers} layers: fewer than the {config.layers} that should learn")
        self.n_frozen = n_layers - config.layers
        self.peft: Any = _with_lora(model, config, n_layers) if learned else None
        for weights in model.parameters():
            if not weights.requires_grad and weights.ndim > 1:
                weights.data = weights.data.to(self.dtype)
        self.model: Any = model.to(self.device)
        self.eps = float(model.config.rms_norm_eps)

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the states before the first layer: float32 (n, d)."""
        states: Tensor = self.model.model.embed_tokens(tokens.to(self.device))
        return states.float()

    def lower(self, states: Tensor, layout: Layout) -> Tensor:
        """Run the frozen layers: float32 (p + b*l, d) to the same."""
        with torch.inference_mode():
            return self._run(self.model.model.layers[: self.n_frozen], states, layout)

    def upper(self, states: Tensor, layout: Layout) -> Tensor:
        """Run the layers that learn."""
        return self._run(self.model.model.layers[self.n_frozen :], states, layout)

    def logits(self, states: Tensor) -> Tensor:
        """Return float32 (n, vocabulary) of last states (n, d)."""
        return F.linear(self._norm(self.model.model.norm, states), self.model.lm_head.weight).float()

    def loss(self, states: Tensor, target: Tensor) -> Tensor:
        """Return the mean cross-entropy of last states (n, d) with int64 target (n,)."""
        return cross_entropy(self._norm(self.model.model.norm, states), self.model.lm_head.weight, target)

    def learned(self) -> dict[str, Tensor]:
        """The tensors that learn, by the names that PEFT gives them in files."""
        from peft import get_peft_model_state_dict

        return dict(get_peft_model_state_dict(self.peft))

    def learn(self, tensors: dict[str, Tensor]) -> None:
        """Take the place of what was learned. InputError where the tensors are of another shape of adapter."""
        from peft import set_peft_model_state_dict

        mine = self.learned()
        if {name: one.shape for name, one in mine.items()} != {name: one.shape for name, one in tensors.items()}:
            raise InputError("these are not the tensors of such an adapter")
        set_peft_model_state_dict(self.peft, {name: one.float() for name, one in tensors.items()})

    def _norm(self, norm: nn.Module, states: Tensor) -> Tensor:
        weight: Any = norm.weight
        return F.rms_norm(states, weight.shape, weight, self.eps).to(self.dtype)

    def _run(self, layers: Iterable[Any], states: Tensor, layout: Layout) -> Tensor:
        p, b, n = layout.p, layout.b, layout.l
        places = torch.cat((torch.arange(p), torch.arange(p, p + n).repeat(b))).to(self.device)
        cos, sin = (one[0, :, None].to(self.dtype) for one in self.model.model.rotary_emb(states, places[None]))  # (p + b*l, 1, head)
        for layer in layers:
            attention, mlp = layer.self_attn, layer.mlp
            normed = self._norm(layer.input_layernorm, states)
            q, k, v = (
                project(part, normed).view(len(states), -1, attention.head_dim)
                for part in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            seen = _attend(_rotate(q, cos, sin), _rotate(k, cos, sin), v, layout)
            states = states + project(attention.o_proj, seen)
            normed = self._norm(layer.post_attention_layernorm, states)
            states = states + project(mlp.down_proj, F.silu(project(mlp.gate_proj, normed)) * project(mlp.up_proj, normed))
        return states


def project(part: Any, given: Tensor) -> Tensor:
    """Return given (n, d) times the weights of a linear layer, and of its LoRA where it has one."""
    if not hasattr(part, "lora_A"):
        return F.linear(given, part.weight)
    down, up = part.lora_A["default"].weight, part.lora_B["default"].weight
    dropped = part.lora_dropout["default"](given)
    kept = None if dropped is given else dropped
    product: Tensor = _LoraProduct.apply(given, kept, part.base_layer.weight, down, up, part.scaling["default"])  # type: ignore[no-untyped-call]
    return product


class _LoraProduct(torch.autograd.Function):
    """x W' + scale * (x A') B', with gradients of x, A and B only; products in x's precision, gradients of A and B in theirs.

    Written out because the automatic way casts every input again and again, which took longer than the products.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: Tensor | None, weight: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
        low = (x if dropped is None else dropped) @ down.to(x.dtype).T  # (n, rank)
        ctx.save_for_backward(x if dropped is None else dropped, low, weight, down, up)
        ctx.scale, ctx.is_dropped = scale, dropped is not None
        return torch.addmm(x @ weight.T, low, up.to(x.dtype).T, alpha=scale)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, low, weight, down, up = ctx.saved_tensors
        grad = grads[0]
        grad_low = (grad @ up.to(grad.dtype)) * ctx.scale
        grad_up = (grad.T @ low).to(up.dtype) * ctx.scale
        grad_down = (grad_low.T @ x).to(down.dtype)
        if not ctx.needs_input_grad[0]:
            return None, None, None, grad_down, grad_up, None
        grad_x = grad @ weight
        if ctx.is_dropped:
            return grad_x, grad_low @ down.to(grad.dtype), None, grad_down, grad_up, None
        return torch.addmm(grad_x, grad_low, down.to(grad.dtype)), None, None, grad_down, grad_up, None


def _rotate(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    left, right = heads.chunk(2, dim=-1)
    return heads * cos + torch.cat((-right, left), dim=-1) * sin


def _attend(q: Tensor, k: Tensor, v: Tensor, layout: Layout) -> Tensor:
    """Attention of q (t, heads, d) over k, v (t, fewer heads, d): shared positions among themselves, rows over these and their own."""
    p, b, n = layout.p, layout.b, layout.l
    parts = [torch.split(one, [p, b * n]) for one in (q, k, v)]
    head_k, head_v = (first[None] for first, _ in parts[1:])
    first = _softmaxed(parts[0][0][None], head_k, head_v)
    own_q, own_k, own_v = (rest.view(b, n, *rest.shape[1:]) for _, rest in parts)
    seen_k, seen_v = (torch.cat((head.expand(b, -1, -1, -1), own), dim=1) for head, own in ((head_k, own_k), (head_v, own_v)))
    return torch.cat((first.flatten(0, 1), _softmaxed(own_q, seen_k, seen_v).flatten(0, 1)))


def _softmaxed(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention, the last query at the last key: q (b, n, heads, d), k and v (b, m, fewer, d) to (b, n, heads * d).

    Plain products: torch's fused attention for processors took six times as long backwards at these lengths.
    """
    b, n, heads, d = q.shape
    m, fewer = k.shape[1:3]
    group = heads // fewer
    q = q.view(b, n, fewer, group, d).permute(0, 2, 3, 1, 4).reshape(b * fewer, group * n, d)
    k, v = (one.transpose(1, 2).reshape(b * fewer, m, d) for one in (k, v))
    scores = torch.bmm(q, k.transpose(1, 2)).float() * d**-0.5
    hidden = torch.ones(n, m, dtype=torch.bool, device=q.device).triu(m - n + 1)
    weights = scores.view(b * fewer, group, n, m).masked_fill(hidden, -torch.inf).softmax(dim=-1).to(v.dtype)
    out = torch.bmm(weights.view(b * fewer, group * n, m), v)  # (b * fewer, group * n, d)
    return out.view(b, heads, n, d).transpose(1, 2).reshape(b, n, heads * d)


def load_base(base: Path) -> PreTrainedModel:
    """Read a llama model's folder as float32. InputError where there is none."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if not (base / "model.safetensors").is_file():
        raise InputError(f"no model in {base}: `scenewise llm fetch` makes the default one")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    if model.config.model_type != "llama":
        raise InputError(f"a model of type {model.config.model_type} cannot be trained here: only llama")
    read: PreTrainedModel = model.requires_grad_(False).eval()
    return read


def _with_lora(model: PreTrainedModel, config: LanguageConfig, n_layers: int) -> Any:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(config.seed)
    alpha: Any = config.alpha  # PEFT says int, and takes what divides
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=alpha,
        lora_dropout=config.dropout,
        target_modules=list(LEARNED),
        layers_to_transform=list(range(n_layers - config.layers, n_layers)),
        layers_pattern="layers",
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PEFT asks for a name that transformers is about to change
        return get_peft_model(model, lora)


def _device(wanted: str) -> str:
    return ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted


def _bfloat16(wanted: str, device: torch.device) -> bool:
    if wanted != "auto":
        return wanted == "bfloat16"
    return device.type == "cuda" or bool(torch.cpu._is_amx_tile_supported())
