"""The program itself: `python -m weightprint` and the command `weightprint`."""

import os
import subprocess
import sys

from ._program import path


def main() -> None:
    command = [path(), *sys.argv[1:]]
    if os.name == "posix":
        os.execv(command[0], command)
    try:
        sys.exit(subprocess.run(command).returncode)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
