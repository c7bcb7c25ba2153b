"""Multinomial logistic regression, for few examples and many features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]
_ROUNDS = 100


def fit_softmax(features: Matrix, labels: Labels, n_labels: int, *, strength: float = 20.0) -> tuple[Matrix, Matrix]:
    """Fit weights float32 (n_features, n_labels) and bias (n_labels,): least cross-entropy, summed, + |weights|^2 / (2 strength).

    features: float32 (n, n_features); labels: int64 (n,) from 0 to n_labels - 1. Solved by L-BFGS (Byrd et al. 1995), so the same
    input gives the same weights. A label without examples gets the chance its weights of about 0 leave it.
    """
    from scipy.optimize import minimize

    n, n_features = features.shape
    wide = np.hstack([features, np.ones((n, 1), dtype=np.float32)])
    ridge = np.full((n_features + 1, 1), 1.0 / strength, dtype=np.float32)
    ridge[-1] = 1e-6  # the bias is free

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.astype(np.float32).reshape(n_features + 1, n_labels)
        log_p = log_softmax(wide @ weights)
        value = -float(log_p[np.arange(n), labels].sum(dtype=np.float64)) + 0.5 * float((ridge * weights**2).sum(dtype=np.float64))
        slope = np.exp(log_p)
        slope[np.arange(n), labels] -= 1
        return value / n, ((wide.T @ slope + ridge * weights) / n).astype(np.float64).ravel()

    start = np.zeros((n_features + 1) * n_labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS, "ftol": 1e-7, "gtol": 1e-6})
    weights = found.x.astype(np.float32).reshape(n_features + 1, n_labels)
    return weights[:-1], weights[-1]


def log_softmax(logits: Matrix) -> Matrix:
    """Row by row, float32 as given: logits - log(sum(exp(logits)))."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Matrix = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def energy(logits: Matrix) -> Matrix:
    """log(mean(exp(logits))) of each row: how much speaks for any label at all (Liu et al. 2020, arXiv:2010.03759)."""
    top = logits.max(axis=1)
    result: Matrix = top + np.log(np.exp(logits - top[:, None]).mean(axis=1))
    return result
