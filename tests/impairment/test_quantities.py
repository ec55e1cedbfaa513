import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.errors import UsageError
from ballstream.impairment.quantities import DURATION, INSTANT, PACKETS, RATE, SHARE, Quantity

ALL = (DURATION, INSTANT, SHARE, RATE, PACKETS)


@pytest.mark.parametrize(
    ("quantity", "text", "value"),
    [
        (DURATION, "40ms", 0.04),
        (DURATION, "0.04 s", 0.04),
        (DURATION, ".5s", 0.5),
        (DURATION, "1.MS", 0.001),
        (DURATION, "250us", 0.00025),
        (DURATION, "0", 0.0),
        (INSTANT, "1500ms", 1.5),
        (SHARE, "2%", 0.02),
        (SHARE, "100%", 1.0),
        (RATE, "1mbit", 1e6),
        (RATE, "2.5Gbit", 2.5e9),
        (PACKETS, "5", 5.0),
    ],
)
def test_a_number_with_its_unit_is_read(quantity: Quantity, text: str, value: float) -> None:
    assert quantity.parse(text) == value


@pytest.mark.parametrize(
    ("quantity", "text", "reason"),
    [
        (DURATION, "40", "40 of what? 40ms"),
        (SHARE, "2", "2 of what? 2%"),
        (RATE, "1", "1 of what? 1mbit"),
        (INSTANT, "10", "10 of what? 10s"),
        (DURATION, "40%", "a time is in ms, s, us, not in %"),
        (PACKETS, "5ms", "a number of packets has no unit"),
        (DURATION, "-1ms", "not a time like 40ms"),
        (DURATION, "1e3ms", "not a time like 40ms"),
        (DURATION, "٣ms", "not a time like 40ms"),
        (SHARE, "", "not a share like 2%"),
        (DURATION, "11s", "a time is 0, or from 1us to 10s"),
        (SHARE, "100.1%", "a share is 0, or from 0.0001% to 100%"),
        (RATE, "0", "a rate is from 1kbit to 100gbit"),
        (RATE, f"{'9' * 5000}gbit", "a rate is from 1kbit to 100gbit"),
        (PACKETS, "0.5", "a number of packets is from 1 to 1000"),
    ],
)
def test_what_is_wrong_is_said(quantity: Quantity, text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refusal:
        quantity.parse(text)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("quantity", "value", "text"),
    [
        (DURATION, 0.04, "40ms"),
        (DURATION, 1.5, "1.5s"),
        (DURATION, 0.0, "0ms"),
        (SHARE, 0.0099, "0.99%"),
        (RATE, 6e5, "600kbit"),
        (RATE, 1e8, "100mbit"),
        (PACKETS, 10.0, "10"),
    ],
)
def test_a_value_gets_a_fitting_unit(quantity: Quantity, value: float, text: str) -> None:
    assert quantity.format(value) == text


@given(st.data(), st.sampled_from(ALL))
def test_what_is_formatted_is_read_as_the_same(data: st.DataObject, quantity: Quantity) -> None:
    value = data.draw(st.floats(quantity.least, quantity.most))
    assert quantity.parse(quantity.format(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("quantity", ALL)
def test_what_is_no_such_number_is_refused(quantity: Quantity, value: float) -> None:
    with pytest.raises(UsageError):
        quantity.check(value)
