"""`python -m lrfind`, which is what launchers such as torchrun start."""

from lrfind.cli import main

if __name__ == "__main__":
    main()
