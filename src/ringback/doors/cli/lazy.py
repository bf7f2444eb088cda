"""Imports put off until they are needed, so that help and short commands start fast.

A group imports a command when it is named; a command, what it needs when it runs.
Not here: which commands there are (doors/cli/__init__.py).
"""

import gc
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from ...values.constraints import nearest

if TYPE_CHECKING:
    from click import shell_completion


class OnDemand:
    """Stands in for a module, which is imported when it is first used.

    For type checkers the real import stands beside it, under TYPE_CHECKING.
    """

    def __init__(self, name: str, package: str | None) -> None:
        self._name, self._package = name, package

    @cached_property
    def _module(self) -> ModuleType:
        return _import(self._name, self._package)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _import(name: str, package: str | None = None) -> ModuleType:
    """Import a module that is never looked through for garbage, nor at the end: a tenth of a short run."""
    gc.disable()
    try:
        return import_module(name, package)
    finally:
        gc.freeze()
        gc.enable()


class LazyGroup(click.Group):
    """Commands by name, each with its line of help; module `name` has the command as `name`.

    A dash in a command's name is an underscore in the module's.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        lazy: Mapping[str, str],
        **rest: Any,
    ) -> None:
        super().__init__(*args, **rest)
        self._package = package
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(_import(f"{self._package}.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lazy.items()))

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> "list[shell_completion.CompletionItem]":
        # click's own way asks each command for its line, and so imports them all.
        lines = [(name, line) for name, line in self._lazy.items() if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        item = import_module("click.shell_completion").CompletionItem
        return [item(name, help=line) for name, line in lines] + options

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self._lazy and not args[0].startswith("-"):
            ctx.fail(
                f'no such command "{args[0]}"; the nearest is "{nearest(args[0], self._lazy)}"'
            )
        return super().resolve_command(ctx, args)
