"""The charts of an archive: what is long is summed up, and growth is shown in few steps."""

from desktop.state.upkeep.statistics import MOST, charts, growth, size
from engine.store.case import Statistics


def statistics(**changes: object) -> Statistics:
    plain = {"modalities": {"CR": 4, "": 2}, "reported": {"CR": 3}, "regions": {}, "decades": {40: 5}, "added": {}}
    return Statistics(6, 3, 6, 3, 9, 2_500_000, **{**plain, **changes})  # type: ignore[arg-type]


def test_each_chart_says_what_is_unknown_and_how_much_is_reported() -> None:
    modality, _, reported, ages, _ = charts(statistics())
    assert [(bar.label, bar.value) for bar in modality.bars] == [("CR", 4), ("Not known", 2)]
    assert [(bar.text, bar.part) for bar in reported.bars] == [("3 of 4", 3), ("0 of 2", 0)]
    assert [(bar.label, bar.value) for bar in ages.bars] == [("40 to 49", 5), ("Not known", 1)]


def test_the_rarest_are_summed_up() -> None:
    many = {f"M{number}": 20 - number for number in range(15)}
    bars = charts(statistics(modalities=many))[0].bars
    assert len(bars) == MOST + 1
    assert (bars[-1].label, sum(bar.value for bar in bars)) == ("Others", sum(many.values()))


def test_growth_is_by_day_month_or_year_and_counts_all_cases_so_far() -> None:
    assert growth({"2026-11-28": 2, "2026-11-29": 3}) == [("2026-11-28", 2), ("2026-11-29", 5)]
    months = {f"2026-{month:02}-{day:02}": 1 for month in (1, 2) for day in range(1, 21)}
    assert growth(months) == [("Jan 2026", 20), ("Feb 2026", 40)]
    years = {f"{year}-{month:02}-01": 1 for year in range(2001, 2021) for month in range(1, 13)}
    assert growth(years)[-1] == ("2020", 240)
    assert len(growth(years)) == MOST


def test_sizes_have_the_unit_that_fits() -> None:
    assert [size(2_500_000), size(40_400_000), size(2_500_000_000)] == ["2.5 MB", "40 MB", "2.5 GB"]
