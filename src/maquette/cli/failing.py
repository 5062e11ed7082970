"""How commands end: 0 done, 1 a problem in one sentence, 2 wrong usage, 130 and 143 stopped."""

import errno
from collections.abc import Callable

from maquette.core.errors import MaquetteError

INTERRUPTED = 130
# A full disk, a folder that may not be written, a failing device: whatever the file.
MENDABLE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ENAMETOOLONG")
}

MEMORY = (
    "memory ran out: smaller pictures, a smaller training.batch_size, more "
    "training.micro_batches or narrower networks (model.width) need less"
)


def one_sentence(run: Callable[[], None]) -> int:
    """Run a command; the exit code. No traceback reaches a person for what they can mend."""
    try:
        run()
    except MaquetteError as error:
        return _say(str(error), 1)
    except OSError as error:
        if error.errno not in MENDABLE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{(error.strerror or str(error)).lower()}: mend that and try again", 1)
    except (MemoryError, RuntimeError) as error:
        if not _memory_ran_out(error):
            raise
        return _say(MEMORY, 1)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    return 0


def _memory_ran_out(error: Exception) -> bool:
    """Whether Python, torch on a processor (which has no error of its own) or a GPU says so."""
    kind = type(error).__name__
    return kind in ("MemoryError", "OutOfMemoryError") or "DefaultCPUAllocator" in str(error)


def _say(message: str, code: int) -> int:
    from maquette.cli.console import errors, printable

    errors.print(f"[red]maquette:[/] {printable(message)}", soft_wrap=True)
    return code
