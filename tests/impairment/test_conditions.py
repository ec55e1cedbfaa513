from typing import Any

import pytest

from ballstream.errors import UsageError
from ballstream.impairment.conditions import (
    CLEAN,
    MOST_STEPS,
    Conditions,
    Impairment,
    Outage,
    Plan,
    Step,
)
from ballstream.impairment.grammar import parse_plan


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"delay": -0.1}, "a time is 0, or from 1us to 10s"),
        ({"jitter": float("nan")}, "a time is 0, or from 1us to 10s"),
        ({"loss": 1.5}, "a share is 0, or from 0.0001% to 100%"),
        ({"rate": 0.0}, "a rate is from 1kbit to 100gbit"),
        ({"reorder": 0.01}, "reorder needs a delay: a packet overtakes those that are under way"),
        ({"loss": 0.9, "burst": 5.0}, "a loss of 90% comes in bursts of at least 9"),
        ({"loss": 0.7, "burst": 2.0}, "a loss of 70% comes in bursts of at least 2.4"),
    ],
)
def test_conditions_that_cannot_be_are_refused(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Conditions(**wrong)
    assert str(refusal.value) == reason


def test_losses_come_alone_or_in_runs() -> None:
    alone = Conditions(loss=0.1)
    assert [alone.loss_probability(before) for before in (None, False, True)] == [0.1] * 3
    runs = Conditions(loss=0.2, burst=5)
    assert runs.loss_probability(None) == 0.2
    assert runs.loss_probability(True) == pytest.approx(0.8)
    assert runs.loss_probability(False) == pytest.approx(0.05)
    longest = Conditions(loss=0.9, burst=9)
    assert longest.loss_probability(False) == pytest.approx(1.0)
    for share in (0.0, 1.0):
        certain = Conditions(loss=share, burst=3)
        assert [certain.loss_probability(before) for before in (False, True)] == [share] * 2


def test_a_plan_says_what_holds_when() -> None:
    plan = parse_plan("delay=40ms; loss=5%@10s; down@30s")
    start, lossy, down = (step.conditions for step in plan.steps)
    assert [plan.at(seconds) for seconds in (-1, 0, 9.99, 10, 29, 30, 1e9)] == [
        *[start] * 3,
        *[lossy] * 2,
        *[down] * 2,
    ]
    assert (lossy.delay, lossy.loss, lossy.down) == (0.04, 0.05, False)
    assert (down.delay, down.loss, down.down) == (0.04, 0.05, True)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((), "the first step of a plan is at 0s"),
        ((Step(1.0, Conditions()),), "the first step of a plan is at 0s"),
        (
            (Step(0.0, Conditions()), Step(3.0, Conditions()), Step(3.0, Conditions())),
            "3s does not come after 3s",
        ),
        (
            tuple(Step(float(at), Conditions()) for at in range(MOST_STEPS + 1)),
            "a plan has at most 1000 steps",
        ),
        ((Step(0.0, Conditions(burst=5)),), "burst needs a loss as well: loss=2%"),
        ((Step(0.0, Conditions(queue=1)),), "queue needs a rate as well: rate=1mbit"),
    ],
)
def test_plans_that_cannot_be_are_refused(steps: tuple[Step, ...], reason: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Plan(steps)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("spec", "outages"),
    [
        ("delay=40ms", ()),
        ("down@30s; up@33s", (Outage(30, 33),)),
        ("down; up@1s; down@2s", (Outage(0, 1), Outage(2, None))),
        ("down@1s; delay=9ms@2s; up@3s; loss=1%@4s", (Outage(1, 3),)),
    ],
)
def test_the_outages_of_a_plan(spec: str, outages: tuple[Outage, ...]) -> None:
    assert parse_plan(spec).outages == outages


@pytest.mark.parametrize(
    "spec",
    [
        "delay=0ms",
        "down",
        "rate=1mbit,queue=300ms",
        "delay=0ms; rate=1mbit,queue=300ms@5s; rate=none@9s",
        "delay=50ms,rate=1mbit,queue=300ms; rate=2.5mbit@40s; rate=600kbit@60s; rate=1mbit@80s",
    ],
)
def test_a_plan_is_formatted_with_all_that_matters(spec: str) -> None:
    assert str(parse_plan(spec)) == spec


def test_a_step_that_changes_nothing_says_something() -> None:
    step = Conditions(delay=0.04)
    assert str(Plan((Step(0, step), Step(3, step)))) == "delay=40ms; delay=40ms@3s"


def test_an_impairment_names_both_directions_where_they_differ() -> None:
    plan = parse_plan("delay=40ms,loss=2%; up@3s")
    assert str(Impairment(plan, plan)) == "delay=40ms,loss=2%; delay=40ms,loss=2%@3s"
    assert str(Impairment(down=plan)) == f"down: {plan} | up: delay=0ms"
    assert Impairment().up is CLEAN
