"""`python -m scripts.verify`: `pulsequeue verify`, for whoever has not installed the command line."""

import sys

from scripts.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["verify", *sys.argv[1:]]))
