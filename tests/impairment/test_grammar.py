import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ballstream.errors import UsageError
from ballstream.impairment.conditions import DEFAULT_QUEUE, QUANTITIES, Conditions, Plan, Step
from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.presets import PRESETS
from ballstream.impairment.quantities import DURATION, INSTANT, PACKETS, RATE, SHARE, Quantity

THERE_IS = (
    "there is delay, jitter, loss, burst, reorder, rate, queue, each with =, and there is down, "
    "up, and for whole networks wifi, wifi-lossy, wifi-congested, cellular, satellite, congested"
)


def test_every_condition_is_read() -> None:
    spec = "delay=40ms,jitter=5ms,loss=2%,burst=5,reorder=1%,rate=1mbit,queue=200ms"
    conditions = Conditions(0.04, 0.005, 0.02, 5, 0.01, 1e6, 0.2)
    assert parse_plan(spec) == Plan((Step(0, conditions),))
    assert str(conditions) == spec


@pytest.mark.parametrize(
    ("spec", "same"),
    [
        (" Delay = 40 MS , LOSS=2% ", "delay=40ms,loss=2%"),
        ("cellular,loss=5%", "delay=50ms,jitter=15ms,loss=5%,burst=2,rate=30mbit,queue=27ms"),
        ("loss=5%@10s", "delay=0ms; loss=5%@10s"),
        ("delay=40ms@0s", "delay=40ms"),
        ("rate=1mbit; rate=none@20s", "rate=1mbit,queue=300ms; rate=none@20s"),
        ("burst=5; loss=5%@10s", "burst=5; loss=5%@10s"),
        ("down; up@5s", "down; up@5s"),
        ("wifi; down@5s; satellite,up@7s", f"{PRESETS['wifi'].spec}; down@5s; satellite,up@7s"),
    ],
)
def test_the_same_can_be_said_in_several_ways(spec: str, same: str) -> None:
    assert parse_plan(spec) == parse_plan(same)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("delay=40", "delay=>>40<<: 40 of what? 40ms"),
        ("delay=40ms,loss=2", "delay=40ms,loss=>>2<<: 2 of what? 2%"),
        ("delay=40ms; loss=5@10s", "delay=40ms; loss=>>5<<@10s: 5 of what? 5%"),
        ("loss=5%@10", "loss=5%@>>10<<: 10 of what? 10s"),
        ("loss=5%@1s@2s", "loss=5%@1s@>>2s<<: a step has one time"),
        ("wifi; loss=5%", "wifi; >>loss=5%<<: when? loss=5%@10s"),
        ("wifi;", "wifi;>><<: when? loss=5%@10s"),
        ("loss=5%@9s; down@9s", "loss=5%@9s; >>down@9s<<: this does not come after 9s"),
        ("delay=1ms,delay=2ms", "delay=1ms,>>delay=2ms<<: delay is said twice"),
        ("down,up", "down,>>up<<: down is said twice"),
        ("loss=1%,wifi", "loss=1%,>>wifi<<: a preset stands before what differs from it"),
        ("delay", ">>delay<<: how much? delay=40ms"),
        ("wifi=2", ">>wifi<<=2: wifi stands alone, without a value"),
        ("delay=4=5", "delay=>>4=5<<: not a time like 40ms"),
        ("delay=none", "delay=>>none<<: not a time like 40ms"),
        ("", f">><<: {THERE_IS}"),
        ("wlan", f">>wlan<<: {THERE_IS}"),
        ("burst=5", ">>burst=5<<: burst needs a loss as well: loss=2%"),
        (
            "delay=1ms; loss=90%,burst=2@3s",
            "delay=1ms; >>loss=90%,burst=2@3s<<: a loss of 90% comes in bursts of at least 9",
        ),
        (
            f"{'delay=40ms; ' * 5}{'x' * 99}=1",
            f"delay=40ms; >>delay=40ms<<{'; delay=40ms' * 3}; xx...: when? delay=40ms@10s",
        ),
    ],
)
def test_an_error_marks_its_place(spec: str, error: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_plan(spec)
    assert str(refusal.value) == error


def test_a_plan_of_too_many_steps_is_refused() -> None:
    with pytest.raises(UsageError, match="at most 1000 steps"):
        parse_plan("delay=1ms" + ";down" * 100_000)


def values(quantity: Quantity) -> st.SearchStrategy[float]:
    inside = st.floats(quantity.least, quantity.most)
    return st.just(0.0) | inside if quantity.or_zero else inside


@st.composite
def conditions(draw: st.DrawFn) -> Conditions:
    loss = draw(values(SHARE))
    rate = draw(st.none() | values(RATE))
    delay = draw(values(DURATION))
    # A loss needs bursts that are long enough for it: these are for any loss below 90 %.
    bursts = st.none() | st.floats(9.0, PACKETS.most)
    return Conditions(
        delay=delay,
        jitter=draw(values(DURATION)),
        loss=loss,
        burst=draw(bursts) if 0 < loss < 0.9 else None,
        reorder=draw(values(SHARE)) if delay else 0.0,
        rate=rate,
        queue=draw(values(DURATION)) if rate else DEFAULT_QUEUE,
        down=draw(st.booleans()),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    times = draw(st.sets(st.floats(INSTANT.least, INSTANT.most), max_size=4))
    return Plan(tuple(Step(at, draw(conditions())) for at in (0.0, *sorted(times))))


@given(plans())
def test_what_is_formatted_is_read_as_the_same(plan: Plan) -> None:
    assert parse_plan(str(plan)) == plan


WORDS = [*QUANTITIES, *PRESETS, *"=,;@ .%", *"0159", "ms", "s", "mbit", "down", "up", "none", "İ"]


@given(st.text() | st.lists(st.sampled_from(WORDS)).map("".join))
@example("loss=100%,burst=5")
@example("burst=1000,loss=99.9%")
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        plan = parse_plan(text)
    except UsageError:
        return
    assert parse_plan(str(plan)) == plan
