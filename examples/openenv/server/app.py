"""The server of the OpenEnv package; everything is in langrearrange.integrations.openenv_app."""

from langrearrange.integrations import openenv_app

app = openenv_app.make_app()


def main() -> None:
    """Serve until interrupted."""
    openenv_app.main()


if __name__ == "__main__":
    main()
