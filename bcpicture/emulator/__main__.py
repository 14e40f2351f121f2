"""``python -m bcpicture.emulator``."""

import sys

from bcpicture.emulator.command import main

if __name__ == "__main__":
    sys.exit(main())
