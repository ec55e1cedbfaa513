import pytest

from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_read_and_says_where_it_is_from(name: str) -> None:
    preset = PRESETS[name]
    (step,) = parse_plan(name).steps
    assert str(step.conditions) == preset.spec
    assert preset.description
    assert "\n" not in preset.description
    assert "str0m" in preset.source
