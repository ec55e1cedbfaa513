"""The last words of a run: files first, then standard output."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..config import ClientConfig, Secret, ServerConfig
from ..impairment.record import ImpairmentRecord, summary_lines
from ..impairment.sockets import Emulation
from ..report import records, view
from ..report.environment import environment
from ..report.folder import OutputFolder
from ..report.records import EmulatedNetwork, ReceptionReport, SessionReport
from ..report.stdout import print_document, print_lines


class Summary:
    """What is left behind of a run: made from its reports, and from what is gathered here before.

    What cannot be written is said, and costs nothing else; the methods return whether it could.
    """

    def __init__(self, config: ServerConfig | ClientConfig) -> None:
        self._settings: Mapping[str, Any] = _plain(asdict(config))
        self._environment = environment()
        self._json = config.reporting.json

    def write(
        self,
        reports: Sequence[SessionReport | ReceptionReport],
        emulation: Emulation | None,
        output: OutputFolder | None,
    ) -> bool:
        """Write `summary.json`, and to standard output that or a text."""
        network = None if emulation is None else emulation.record()
        document = records.document(self._settings, self._environment, network, reports)
        in_file = output is None or output.write_summary(document)
        if self._json:
            return print_document(document) and in_file
        return print_lines(_text(reports, network)) and in_file

    def write_page(
        self,
        reports: Sequence[SessionReport],
        emulation: Emulation | None,
        origin: float,
        output: OutputFolder,
    ) -> bool:
        """Write `report.html`; `origin` is the instant at which the scene's time is 0."""
        from ..report import page  # who needs no page need not wait for Jinja and Plotly

        return output.write_report(
            lambda: page.render(
                self._settings,
                self._environment,
                reports,
                output.lines,
                output.complete,
                None if emulation is None else _emulated(emulation, origin),
            )
        )


def _emulated(emulation: Emulation, origin: float) -> EmulatedNetwork:
    steps = [(at - origin, words) for at, words in emulation.steps()]
    return EmulatedNetwork(emulation.record(), steps)


def _text(
    reports: Sequence[SessionReport | ReceptionReport], network: ImpairmentRecord | None
) -> list[str]:
    lines = [] if network is None else summary_lines(network)
    return [line for each in reports for line in _lines(each)] + lines


def _lines(session: SessionReport | ReceptionReport) -> list[str]:
    match session:
        case SessionReport():
            return view.summary_lines(session)
        case ReceptionReport():
            return view.reception_lines(session)


def _plain(value: Any) -> Any:
    """Paths as strings and secrets hidden, for JSON."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case tuple():
            return [_plain(each) for each in value]
        case Secret():
            return "(secret)"
        case bool() | int() | float() | None:
            return value
        case str():
            return _as_utf8(value)
        case _:
            return _as_utf8(str(value))


def _as_utf8(text: str) -> str:
    """A text as UTF-8 can have it: bytes of a file name that were none become escapes."""
    return text.encode(errors="backslashreplace").decode()
