import pytest

from scenewise.agent.graph_reader import make_extractor, share_out
from scenewise.agent.settings import Settings
from scenewise.store.errors import InputError
from scenewise.tools.graph.schema import load_schema
from scenewise.tools.retrieval.encoders import Encoders


def test_an_llm_that_counts_nothing_is_not_asked(encoders: Encoders) -> None:
    with pytest.raises(InputError, match=r"counts nothing.*--llm-weight"):
        make_extractor("choose", load_schema(), encoders.english, Settings())


def test_tokens_are_shared_out_among_the_options_they_begin() -> None:
    top = [
        {"token": "m", "logprob": -1.0},
        {"token": "col", "logprob": -1.0},
        {"token": "zebra", "logprob": 0.0},
        {"token": " ", "logprob": 0.0},
    ]
    shares = share_out(("mood", "material", "color", "none"), top)
    assert shares == {"mood": 0.25, "material": 0.25, "color": 0.5, "none": 0.0}
    assert share_out(("mood",), [{"token": "x", "logprob": 0.0}]) == {}
    assert share_out(("mood",), []) == {}
