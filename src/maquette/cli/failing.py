"""How commands end: 0 done, 1 a problem told in one sentence, 2 wrong usage, 130 and 143 stopped."""

from collections.abc import Callable

from maquette.core.errors import MaquetteError

INTERRUPTED = 130


def one_sentence(run: Callable[[], None]) -> int:
    """Run a command; the exit code. No traceback reaches a person for what they can mend."""
    try:
        run()
    except MaquetteError as error:
        return _say(str(error), 1)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    return 0


def _say(message: str, code: int) -> int:
    from rich.markup import escape

    from maquette.cli.console import errors

    errors.print(f"[red]maquette:[/] {escape(message)}", soft_wrap=True)
    return code
