from scenewise.agent.graph_reader import share_out


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
