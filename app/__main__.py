"""`python -m app` is `ladder`."""

from app.cli.main import main

if __name__ == "__main__":
    main()
