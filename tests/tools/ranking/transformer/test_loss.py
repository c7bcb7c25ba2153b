import numpy as np
import pytest
import torch
import torch.nn.functional as F

from scenewise.tools.ranking.transformer.loss import cross_entropy, sample_items


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_and_its_gradients_are_those_of_torch(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    target, weights = torch.randint(30, (700,), generator=generator), torch.rand(700, generator=generator)
    results = []
    for ours in (True, False):
        users, items = (torch.randn(n, 8, generator=torch.Generator().manual_seed(n), requires_grad=True) for n in (700, 30))
        if ours:
            loss = cross_entropy(users, items, target, weights, smoothing=smoothing)
        else:
            each = F.cross_entropy(users @ items.T, target, reduction="none", label_smoothing=smoothing)
            loss = (each * weights).sum() / weights.sum()
        (2 * loss).backward()
        results.append((loss.detach(), users.grad, items.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_the_sampled_sum_is_that_of_the_whole_catalogue_on_average() -> None:
    torch.manual_seed(0)
    popularity = torch.softmax(torch.randn(50), 0)
    worth = torch.rand(50) + 0.5
    sums = []
    for _ in range(4000):
        told = torch.multinomial(popularity, 20, replacement=True)
        places, log_q = sample_items(told, popularity, 10)
        sums.append(float((worth[places] / log_q.exp()).sum()))
    error = np.std(sums) / len(sums) ** 0.5
    assert abs(np.mean(sums) - float(worth.sum())) < 4 * error


def test_all_items_as_the_sample_give_the_full_loss() -> None:
    users, items = torch.randn(9, 4), torch.randn(12, 4)
    target, weights = torch.randint(12, (9,)), torch.ones(9)
    places, log_q = sample_items(target, torch.full((12,), 1 / 12), 12)
    assert places.tolist() == list(range(12))
    sampled = cross_entropy(users, items, target, weights, log_q=log_q)
    torch.testing.assert_close(sampled, cross_entropy(users, items, target, weights))
