"""What can go wrong, by the program's exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Optional, Type

if TYPE_CHECKING:
    from .report import Report


class WeightprintError(RuntimeError):
    """The program ended with an error. `code` is its exit code."""

    code = -1

    def __init__(self, message: str, code: Optional[int] = None, report: Optional[Report] = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.report = report


class FindingError(WeightprintError):
    """A relation or an outcome that `fail_on` names was found. `report` has it."""

    code = 1


class NotCompletedError(WeightprintError):
    """The work could not be completed: a model cannot be opened, a file is malformed."""

    code = 2


class UndecidedError(WeightprintError):
    """Inconclusive or unproven, and `fail_on` names it. `report` has what was found."""

    code = 3


class MismatchError(WeightprintError):
    """A digest or a field differs from what was stated of the models."""

    code = 4


class UsageError(WeightprintError, ValueError):
    """An argument has a value that the program does not take."""

    code = 64


_BY_CODE: Dict[int, Type[WeightprintError]] = {e.code: e for e in (FindingError, NotCompletedError, UndecidedError, MismatchError, UsageError)}


def by_code(code: int, message: str) -> WeightprintError:
    """The error of an exit code."""
    return _BY_CODE.get(code, WeightprintError)(message, code)
