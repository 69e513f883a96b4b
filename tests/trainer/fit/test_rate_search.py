import csv

import numpy as np
import pytest

from trainer.fit.rate_search import HIGHEST, LOWEST, ROOM, choose_rate, search_rate, smooth


def test_the_rate_stays_under_that_of_the_least_loss() -> None:
    rates = np.geomspace(1e-5, 1e-1, 9)
    losses = np.array([1.0, 1.0, 0.9, 0.6, 0.4, 0.3, 0.5, 2.0, 9.0])
    assert choose_rate(rates.tolist(), losses) == pytest.approx(rates[5] / ROOM)


def test_smoothing_keeps_the_place_of_a_dip() -> None:
    losses = np.full(30, 4.0)
    losses[9:16] = 1.0
    assert np.argmin(smooth(losses.tolist())) == 12
    assert smooth([2.0]) == pytest.approx([2.0])


def test_a_search_ends_where_the_loss_runs_away() -> None:
    from trainer.network.backend import keras

    class Line(keras.utils.PyDataset):  # type: ignore[misc]
        """y is about 3x; above a rate of 1 / 100 plain descent runs away."""

        def __len__(self) -> int:
            return 20

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            x = np.full((32, 1), 10.0, np.float32)
            noise = np.random.default_rng(index).normal(0, 3, x.shape)
            return x, (3 * x + noise).astype(np.float32)

    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    found = search_rate(model, Line())
    assert LOWEST < found.rate < 1 / 100
    assert len(found.rates) == len(found.losses)
    assert found.rates[-1] < HIGHEST
    assert found.losses[-1] > min(found.losses)
    table = list(csv.reader(found.as_table().splitlines()))
    assert table[0] == ["learning_rate", "smoothed_loss"]
    assert float(table[1][0]) == LOWEST
