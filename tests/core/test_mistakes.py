"""Pictures in the order of a classifier's mistakes."""

import pytest
import torch

from maquette.core.mistakes import framed, mistakes_first


def levels(count: int, channels: int = 1) -> torch.Tensor:
    """Flat pictures, each of its own grey."""
    return (torch.arange(count) / 10)[:, None, None, None].expand(-1, channels, 8, 6)


def test_the_surest_mistake_comes_first_and_mistakes_are_framed():
    probabilities = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.05, 0.95], [0.6, 0.4], [0.5, 0.5]])
    labels = torch.tensor([0, 0, 0, 0, -1])
    shown = mistakes_first(levels(5), probabilities, labels)
    assert [round(p[0, 4, 3].item() * 10) for p in shown] == [2, 1, 3, 0, 4]
    assert [p[0, 1, 1].item() == 1 for p in shown] == [True, True, False, False, False]


@pytest.mark.parametrize(("channels", "colour"), [(1, [1.0]), (3, [1.0, -1.0, -1.0])])
def test_a_frame_is_bright_with_black_around_it(channels, colour):
    images = levels(2, channels)
    found = framed(images, torch.tensor([False, True]))
    assert torch.equal(found[0], images[0])
    for row, column in [(1, 3), (6, 3), (4, 1), (4, 4)]:
        assert found[1, :, row, column].tolist() == colour
    assert (found[1, :, 0] == -1).all() and (found[1, :, :, -1] == -1).all()
    assert torch.equal(found[1, :, 2:-2, 2:-2], images[1, :, 2:-2, 2:-2])
