"""From files to an adapter: it learns, goes on where it was stopped, and leaves what PEFT and the merge read alike."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_llama import write_rows

from scenewise.store.errors import InputError, StoreError
from scenewise.tools.training.language.adapter import CARD, CONFIG, WEIGHTS, merge_adapter
from scenewise.tools.training.language.config import LanguageConfig
from scenewise.tools.training.language.network import load_base
from scenewise.tools.training.language.train import Learned, train_language
from scenewise.tools.training.language.training import Report, rate

SETTINGS = LanguageConfig(layers=2, rank=4, alpha=8, lr=3e-3, tokens=200, epochs=20, keep_every=5, looks=4, device="cpu")


def train(tiny: Path, folder: Path, config: LanguageConfig = SETTINGS, report: Report = lambda what, done, total: None) -> Learned:
    """Train on 48 rows, look at 12."""
    rows, dev = write_rows(folder.parent / "rows", 48), write_rows(folder.parent / "dev", 12, first=48)
    return train_language(tiny, [rows], [dev], folder, config, command="scenewise train planner", report=report)


@pytest.fixture(scope="module")
def learned(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """A training of 20 passes."""
    return train(tiny, tmp_path_factory.mktemp("learned") / "adapter")


def test_it_learns(learned: Learned) -> None:
    looks = learned.course.looks
    assert (learned.n_rows, learned.n_dev, learned.n_left_out) == (48, 12, 0)
    assert looks[0].loss > 2 * looks[-1].loss
    assert learned.served.exact >= 0.9 > looks[0].exact
    assert learned.served.exact_of == {"plan": learned.served.exact}
    assert learned.course.best.exact == max(look.exact for look in looks)
    assert [look.step for look in looks] == sorted({look.step for look in looks})
    assert len(looks) == 4


def test_what_it_leaves(learned: Learned, tiny: Path) -> None:
    files = {file.name: file for file in learned.folder.iterdir()}
    assert set(files) == {WEIGHTS, CONFIG, CARD}
    assert not learned.folder.with_name("adapter.training").exists()
    card = files[CARD].read_text()
    assert "| plan | made up | CC0-1.0 | 48 |" in card
    assert "scenewise train planner" in card
    assert re.search(r"rows answered exactly \| (1\.0|0\.\d+) \|", card)
    assert str(tiny) not in card + files[CONFIG].read_text()
    assert json.loads(files[CONFIG].read_text())["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT asks for the old name
def test_merged_it_answers_as_peft_does(learned: Learned, tiny: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    merge_adapter(tiny, learned.folder, tmp_path / "merged")
    tokens = torch.randint(3, 200, (2, 9))
    with torch.no_grad():
        want = PeftModel.from_pretrained(load_base(tiny), learned.folder)(tokens).logits
        got, plain = (load_base(folder)(tokens).logits for folder in (tmp_path / "merged", tiny))
    assert torch.allclose(got, want, atol=1e-4)
    assert not torch.allclose(plain, want, atol=1e-1)
    assert (tmp_path / "merged" / "tokenizer.json").read_bytes() == (tiny / "tokenizer.json").read_bytes()


def test_an_adapter_of_another_model_or_a_damaged_one_is_not_merged(learned: Learned, tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / CONFIG).write_text((learned.folder / CONFIG).read_text())
    tensors = load_file(learned.folder / WEIGHTS)
    for damage in (
        {name: one[:, :-1].clone() if "lora_A" in name else one for name, one in tensors.items()},
        {name: one for name, one in tensors.items() if "lora_A" in name},
    ):
        save_file(damage, bad / WEIGHTS)
        with pytest.raises(StoreError, match="another model"):
            merge_adapter(tiny, bad, tmp_path / "merged")
    (bad / WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(StoreError, match="damaged"):
        merge_adapter(tiny, bad, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_stopped_and_gone_on_with_it_ends_as_if_never_stopped(tiny: Path, tmp_path: Path, dropout: float) -> None:
    config = SETTINGS.model_copy(update={"epochs": 4, "dropout": dropout})
    steps: list[int] = []

    def stop_at_12(what: str, done: int, total: int) -> None:
        if what.startswith("training"):
            steps.append(done)
            if done == 12:
                raise KeyboardInterrupt

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(KeyboardInterrupt):
        train(tiny, tmp_path / "a" / "adapter", config, stop_at_12)
    assert not (tmp_path / "a" / "adapter").exists()
    steps.clear()
    went_on = train(tiny, tmp_path / "a" / "adapter", config, lambda what, done, total: stop_at_12(what, done + 100, total))
    assert steps[0] == 111  # the checkpoint of the tenth step was the last
    never = train(tiny, tmp_path / "b" / "adapter", config)
    assert (went_on.folder / WEIGHTS).read_bytes() == (never.folder / WEIGHTS).read_bytes()
    assert went_on.course.looks == never.course.looks


def test_another_training_does_not_go_on_from_a_checkpoint(tiny: Path, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if done == 12:
            raise KeyboardInterrupt

    first: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        train(tiny, tmp_path / "adapter", SETTINGS, stop)
    other = SETTINGS.model_copy(update={"lr": 1e-2, "epochs": 1})
    train(tiny, tmp_path / "adapter", other, lambda what, done, total: first.append(done) if what.startswith("training") else None)
    assert first[0] == 1


def test_the_minutes_end_it(tiny: Path, tmp_path: Path) -> None:
    course = train(tiny, tmp_path / "adapter", SETTINGS.model_copy(update={"epochs": 10**6, "minutes": 0.01})).course
    assert course.step >= 1
    assert course.elapsed_s < 30


def test_the_rate_rises_and_falls() -> None:
    rates = [rate(done, 0.1) for done in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1.0) == rates[10]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.05)


def test_it_begins_with_an_adapter(learned: Learned, tiny: Path, tmp_path: Path) -> None:
    rows, dev = write_rows(tmp_path / "rows", 48), write_rows(tmp_path / "dev", 12, first=48)
    few = SETTINGS.model_copy(update={"epochs": 1, "looks": 2, "lr": 1e-5})
    again = train_language(
        tiny, [rows], [dev], tmp_path / "again", few, start=learned.folder, command="scenewise train planner --from adapter"
    )
    assert again.course.looks[0].loss == pytest.approx(learned.served.loss, rel=0.1)
    card = (tmp_path / "again" / CARD).read_text()
    assert "## Begun with an adapter" in card
    assert card.count("| plan | made up | CC0-1.0 | 48 |") == 2


def test_it_begins_with_no_other_adapter(learned: Learned, tiny: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 3)
    with pytest.raises(InputError, match="not the tensors"):
        train_language(tiny, [rows], [rows], tmp_path / "a", SETTINGS.model_copy(update={"rank": 2}), start=learned.folder)
    with pytest.raises(InputError, match="no whole adapter"):
        train_language(tiny, [rows], [rows], tmp_path / "a", SETTINGS, start=tmp_path / "none")


def test_nothing_to_learn(tiny: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows", 3)
    with pytest.raises(InputError, match="no rows"):
        train_language(tiny, [rows], [rows], tmp_path / "adapter", SETTINGS, tasks=["write"])
    with pytest.raises(InputError, match="longer than 5 tokens"):
        train_language(tiny, [rows], [rows], tmp_path / "adapter", SETTINGS.model_copy(update={"longest": 5}))
