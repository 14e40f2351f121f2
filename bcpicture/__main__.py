"""``python -m bcpicture``: the command line."""

from bcpicture.cli import main

if __name__ == "__main__":
    main()
