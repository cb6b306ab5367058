"""Shows progress with tqdm, where it is installed."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

from ._program import Step, Told

Progress = Union[bool, Callable[[Step], None], None]


class Bar:
    """A bar over the bytes that are read at most, named after the stage."""

    def __init__(self, tqdm: Any) -> None:
        self.bar = tqdm(unit="B", unit_scale=True, unit_divisor=1024, leave=False)

    def __call__(self, step: Step) -> None:
        self.bar.total = step["total"]
        self.bar.set_description(f"{step['step']}/{step['steps']} {step['stage']}", refresh=False)
        self.bar.n = step["read"]
        self.bar.refresh()

    def close(self) -> None:
        self.bar.close()


def teller(progress: Progress) -> Optional[Told]:
    """What is told of progress: the caller's function, a bar, or nobody.

    None shows a bar where tqdm is installed, True asks for it.
    """
    if callable(progress):
        return progress
    if progress is False:
        return None
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        if progress:
            raise
        return None
    return Bar(tqdm)


def close(tell: Optional[Told]) -> None:
    if isinstance(tell, Bar):
        tell.close()
