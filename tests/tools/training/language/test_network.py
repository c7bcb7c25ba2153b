"""The model run by hand gives what transformers and PEFT give: states, losses, gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tiny_llama import write_rows

from scenewise.store.errors import InputError
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.loss import cross_entropy
from scenewise.tools.training.language.network import Layout, Network, load_base
from scenewise.tools.training.language.rows import encode, read_rows, shared_prefixes
from scenewise.tools.training.language.states import States
from scenewise.tools.training.language.training import Training

CONFIG = LanguageConfig(layers=2, rank=3, alpha=6, precision="float32", device="cpu")


def shaken(network: Network) -> Network:
    """The network with LoRA matrices that are not zero."""
    torch.manual_seed(2)
    network.learn({name: torch.randn_like(one) * 0.3 for name, one in network.learned().items()})
    return network


@pytest.mark.parametrize("p", [0, 1, 5])
def test_states_are_those_of_transformers(tiny: Path, p: int) -> None:
    network, plain = Network(tiny, CONFIG), load_base(tiny)
    head, rows = torch.randint(3, 200, (p,)), torch.randint(3, 200, (3, 4))
    layout = Layout(p, 3, 4)
    with torch.no_grad():
        states = network.lower(network.embed(torch.cat((head, rows.flatten()))), layout)
        got = network.logits(network.upper(states, layout))
        want = plain(torch.cat((head.expand(3, -1), rows), dim=1)).logits  # B is zero at first: LoRA changes nothing
        assert torch.allclose(got[p:].view(3, 4, -1), want[:, p:], atol=1e-4)
        assert torch.allclose(got[:p], want[0, :p], atol=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_losses_and_gradients_are_those_of_peft(tiny: Path, tmp_path: Path, dropout: float) -> None:
    from transformers import AutoTokenizer

    config = CONFIG.model_copy(update={"dropout": dropout, "layers": 4})
    network = shaken(Network(tiny, config))
    words = network.model.model.embed_tokens.weight
    words.data = words.data.half().float()  # states are kept in float16: these, as no layer is frozen, without loss
    examples = encode(list(read_rows([write_rows(tmp_path / "rows", 8)])), AutoTokenizer.from_pretrained(tiny))
    states = States(tmp_path / "states", examples, network, prefixes=shared_prefixes(examples), mark="x")
    learned = [one for one in network.model.parameters() if one.requires_grad]
    training = Training(network, states, states, config)
    rows = torch.arange(8).numpy().astype("int32")
    if dropout:
        network.model.train()
        ours, other = (float(network.loss(*training._answer(states, rows)[:2]).detach()) for _ in range(2))
        assert ours != other
        network.model.eval()
    last, target, owner = training._answer(states, rows)
    assert owner.tolist() == sorted(owner.tolist())
    loss = network.loss(last, target)
    got = torch.autograd.grad(loss, learned)
    each = []
    for one in examples:
        tokens = torch.from_numpy(one.tokens.astype("int64"))
        logits = network.peft(tokens[None]).logits[0, one.n_prompt - 1 : -1]
        each.append(F.cross_entropy(logits, tokens[one.n_prompt :], reduction="sum"))
    whole = sum(each) / len(target)
    want = torch.autograd.grad(whole, learned)
    assert torch.allclose(loss, whole, atol=1e-5)
    for mine, theirs in zip(got, want, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4 * float(theirs.abs().max()) + 1e-6)


def test_the_loss_is_cross_entropy_and_so_is_its_gradient() -> None:
    torch.manual_seed(0)
    states, words, target = torch.randn(150, 8, requires_grad=True), torch.randn(50, 8), torch.randint(0, 50, (150,))
    got, want = cross_entropy(states, words, target), F.cross_entropy(states @ words.T, target)
    assert torch.allclose(got, want)
    assert torch.allclose(*(torch.autograd.grad(3 * one, states)[0] for one in (got, want)), atol=1e-6)


def test_bfloat16_products_come_near(tiny: Path) -> None:
    tokens, layout = torch.randint(3, 200, (12,)), Layout(2, 2, 5)
    exact, near = (
        network.logits(network.upper(network.lower(network.embed(tokens), layout), layout)).detach()
        for network in (Network(tiny, CONFIG.model_copy(update={"precision": kind})) for kind in ("float32", "bfloat16"))
    )
    assert 0 < float((exact - near).abs().max()) < 0.1 * float(exact.abs().max())


def test_states_are_computed_once_and_anew_for_another_mark(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoTokenizer

    network = Network(tiny, CONFIG)
    examples = encode(list(read_rows([write_rows(tmp_path / "rows", 6)])), AutoTokenizer.from_pretrained(tiny))
    prefixes = shared_prefixes(examples)
    rows = torch.arange(4).numpy().astype("int32")
    first = States(tmp_path / "states", examples, network, prefixes=prefixes, mark="a").batch(rows)
    asked: list[int] = []
    lower = network.lower
    monkeypatch.setattr(network, "lower", lambda states, layout: (asked.append(layout.b), lower(states, layout))[1])
    again = States(tmp_path / "states", examples, network, prefixes=prefixes, mark="a")
    assert torch.equal(again.batch(rows)[0], first[0])
    assert asked == [1]  # the shared beginning only
    again.batch(rows + 2)
    assert asked == [1, 2]  # and of later rows those that are new
    States(tmp_path / "states", examples, network, prefixes=prefixes, mark="b").batch(rows)
    assert asked == [1, 2, 1, 4]


def test_models_that_cannot_be_trained(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="scenewise llm fetch"):
        Network(tmp_path, CONFIG)
    with pytest.raises(InputError, match="4 layers"):
        Network(tiny, CONFIG.model_copy(update={"layers": 5}))
    with pytest.raises(InputError, match="not the tensors"):
        Network(tiny, CONFIG).learn({"x": torch.zeros(1)})
