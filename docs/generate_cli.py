"""Write the reference of the command line, `docs/cli.md`, from the commands themselves.

Run by ``make cli-reference``; ``--check`` only compares, and exits with 1 where the file is old.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

REFERENCE = Path(__file__).parent / "cli.md"
WIDTH = 88

HEAD = """\
# Command line

Made from `cli.py` by `make cli-reference`; do not edit.
"""


def render() -> str:
    """Return the reference, in English, whatever the language of the machine."""
    os.environ["LANGUAGE"] = "en"
    import click

    import cli

    return "\n".join([HEAD, *_sections(cli.orthowatch, click.Context(cli.orthowatch, **_look()))])


def _look() -> dict[str, object]:
    """Return what makes help texts come out the same on every terminal."""
    return {
        "info_name": "orthowatch",
        "terminal_width": WIDTH,
        "max_content_width": WIDTH,
        "auto_envvar_prefix": "ORTHOWATCH",
        "help_option_names": ["-h", "--help"],
    }


def _sections(command, context) -> Iterator[str]:  # noqa: ANN001 - click is imported late
    """Yield one section for a command, and then those of its subcommands."""
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    for name in command.list_commands(context) if hasattr(command, "commands") else ():
        part = command.get_command(context, name)
        if not part.hidden:
            yield from _sections(part, type(context)(part, info_name=name, parent=context))


def main(arguments: list[str]) -> int:
    """Write or compare the reference, and return the exit code."""
    reference = render()
    if arguments == ["--check"]:
        if REFERENCE.is_file() and REFERENCE.read_text(encoding="utf-8") == reference:
            return 0
        print(f"{REFERENCE.name} is old: run `make cli-reference`", file=sys.stderr)
        return 1
    REFERENCE.write_text(reference, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main(sys.argv[1:]))
