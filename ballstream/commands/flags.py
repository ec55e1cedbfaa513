"""Flags of a command line, made from the configuration whose fields declare them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from unicodedata import category

import click
from click.core import ParameterSource

from .. import __version__
from ..config.flag import Declared, Group, configured, flags_of
from .flag_types import type_of

if TYPE_CHECKING:
    from logging import Logger

Config = TypeVar("Config")

_PREFIX = "BALLSTREAM"
_SETTINGS = {
    "auto_envvar_prefix": _PREFIX,
    "help_option_names": [],
    "show_default": True,
    "max_content_width": 100,
}
_EPILOG = (
    "Every flag can also be given as an environment variable, --signaling-port as "
    "BALLSTREAM_SIGNALING_PORT; a flag wins."
)


def command(config: type[Config], run: Callable[[Config], int]) -> "Command":
    """A command that runs as configured by flags; `run` is described by its docstring."""
    flags = flags_of(config)

    @click.pass_context
    def callback(ctx: click.Context, /, log_level: str, **values: Any) -> int:
        import logging  # for which nobody who only asks for help need wait

        logging.getLogger().setLevel(log_level.upper())
        for flag in flags:
            _check_effect(ctx, flag, values, logging.getLogger(__name__))
        return run(configured(config, values))

    made = Command(
        name=None,
        callback=callback,
        params=[_option(each) for each in flags],
        help=run.__doc__,
        epilog=_EPILOG,
        context_settings=_SETTINGS,
    )
    for option in _COMMON:
        option(made)
    return made


class Command(click.Command):
    """A command whose help shows its flags by what they are about."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records: dict[str, list[tuple[str, str]]] = {group: [] for group in (*Group, _OTHER)}
        for parameter in self.params:
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, _Option) and record is not None:
                records[parameter.group].append(record)
        for group, lines in records.items():
            if lines:
                with formatter.section(group):
                    formatter.write_dl(lines)


_OTHER = "Other"


class _Option(click.Option):
    def __init__(self, *arguments: Any, group: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.group = group

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Read a value, which a file with other ends of lines may have given a `\\r`."""
        texts = value if isinstance(value, tuple | list) else [value]
        for letter in "".join(text for text in texts if isinstance(text, str)):
            if category(letter) == "Cc":
                # The value itself may be a secret.
                raise click.BadParameter(
                    f"there is a control character in it, {letter!r}", ctx, self
                )
        return super().type_cast_value(ctx, value)


def _option(declared: Declared) -> click.Option:
    flag = declared.flag
    if declared.is_switch:
        return _Option(
            declared.names, is_flag=True, show_default="off", help=flag.help, group=flag.group
        )
    default = declared.default
    return _Option(
        declared.names,
        default=default,
        show_default=True if default not in (None, ()) else flag.absent or "none",
        multiple=declared.may_be_repeated,
        type=type_of(declared),
        metavar=flag.metavar or (flag.syntax.metavar if flag.syntax else None),
        help=flag.help,
        group=flag.group,
    )


# An environment variable named like version or help says something else.
_COMMON = (
    click.option(
        "--log-level",
        cls=_Option,
        group=Group.OUTPUT,
        default="warning",
        type=click.Choice(["debug", "info", "warning", "error"]),
        help="How much to say on standard error.",
    ),
    click.version_option(__version__, cls=_Option, group=_OTHER, allow_from_autoenv=False),
    click.help_option("-h", "--help", cls=_Option, group=_OTHER, allow_from_autoenv=False),
)


def _check_effect(
    ctx: click.Context, declared: Declared, values: Mapping[str, Any], logger: "Logger"
) -> None:
    """Refuse a flag that can have no effect among the others; warn where it is a variable.

    A variable may have been exported for another run.
    """
    reason = declared.idle(values)
    if reason is None or values[declared.name] is False:
        return
    match ctx.get_parameter_source(declared.name):
        case ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{declared.names[-1]} has no effect {reason}", ctx)
        case ParameterSource.ENVIRONMENT:
            variable = f"{_PREFIX}_{declared.name.upper()}"
            logger.warning("%s has no effect %s", variable, reason)
