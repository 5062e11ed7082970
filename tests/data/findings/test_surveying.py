"""Every check there is takes part, and every kind of finding can be named."""

import importlib
import pkgutil

from maquette.data import findings
from maquette.data.findings.finding import Check
from maquette.data.findings.surveying import Checking, known_kinds


def every_check() -> set[type[Check]]:
    for module in pkgutil.iter_modules(findings.__path__, f"{findings.__name__}."):
        importlib.import_module(module.name)
    return {check for check in Check.__subclasses__() if check.__module__.startswith("maquette.")}


def test_every_check_takes_part() -> None:
    assert {type(check) for check in Checking().checks()} == {
        check
        for check in every_check()
        if check.__name__ != "Unlike"  # needs examples
    }


def test_every_kind_is_known_by_a_name_of_its_own() -> None:
    names = [kind.name for check in every_check() for kind in check.kinds]
    assert sorted(names) == sorted(known_kinds())
