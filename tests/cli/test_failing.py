"""How commands end when memory runs out."""

import pytest
import torch

from maquette.cli.failing import one_sentence


def more_than_any_machine_has() -> None:
    torch.empty(2**52)


def pythons_own() -> None:
    bytearray(2**62)


def of_a_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@pytest.mark.parametrize("run", [more_than_any_machine_has, pythons_own, of_a_gpu])
def test_memory_that_ran_out_is_one_sentence(run, capsys):
    assert one_sentence(run) == 1
    (told,) = capsys.readouterr().err.strip().splitlines()
    assert "memory ran out" in told and "training.batch_size" in told


def test_a_defect_of_ours_keeps_its_traceback():
    def broken() -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        one_sentence(broken)
