"""`python -m clamp_server` is `clamp`."""

from clamp_server.cli import main

if __name__ == "__main__":
    main()
