"""A count is declared once: whatever tells of counts goes by the declarations."""

from pathlib import Path

import ballstream
from ballstream.report.records import ReceptionReport, SessionReport
from ballstream.scoring.counts import Counts, counts_of
from ballstream.scoring.score import Snapshot

TELLING = (
    "report/folder.py",
    "report/live.py",
    "report/page.py",
    "report/records.py",
    "report/report.html.j2",
    "report/view.py",
    "web/feed.py",
    "web/metrics.py",
    "web/site.py",
)


def test_every_count_is_declared_with_words_of_its_own() -> None:
    assert list(counts_of(Counts)) == list(Counts.__struct_fields__)
    declared = counts_of(SessionReport)
    assert list(declared) == [*Counts.__struct_fields__, "bytes_sent"]
    for words in ("title", "words", "meaning"):
        assert len({getattr(count, words) for count in declared.values()}) == len(declared)
    for count in declared.values():
        assert count.meaning.endswith(".")
    metrics = [count.metric for count in declared.values() if count.metric is not None]
    assert len(set(metrics)) == len(metrics)


def test_what_is_live_has_the_same_counts() -> None:
    assert counts_of(Snapshot) == counts_of(Counts)


def test_nobody_who_tells_of_counts_names_one() -> None:
    root = Path(ballstream.__file__).parent
    names = counts_of(SessionReport).keys() - {"bytes_sent"}
    for source in TELLING:
        text = (root / source).read_text(encoding="utf-8")
        # The client's own counts are its own, also those that have the name of one of these.
        for name in names - set(ReceptionReport.__struct_fields__):
            assert name not in text, f"{source} names {name}"
