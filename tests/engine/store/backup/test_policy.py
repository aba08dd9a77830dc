"""Which backups are kept, and when the next one is due."""

from datetime import UTC, datetime, timedelta

from engine.store.backup.policy import POLICY, Policy

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


def kept(ages: list[timedelta], policy: Policy = POLICY, sizes: list[int] | None = None) -> list[timedelta]:
    stay = policy.kept([NOW - age for age in ages], sizes or [1] * len(ages))
    return [age for at, age in enumerate(ages) if at in stay]


def test_of_two_months_of_hourly_backups_the_newest_of_hours_days_and_weeks_stay() -> None:
    ages = [timedelta(hours=n) for n in range(24 * 60)]
    found = kept(ages)
    assert found[:24] == ages[:24]
    days = {(NOW - age).date() for age in found}
    assert {(NOW - timedelta(days=n)).date() for n in range(7)} <= days
    assert len({(NOW - age).isocalendar()[:2] for age in found}) == 4
    assert len(found) == 24 + 5 + 3  # 24 hours are of two days, 7 days are of one or two weeks


def test_days_without_use_count_as_no_day() -> None:
    ages = [timedelta(days=30 * n) for n in range(12)]
    assert kept(ages, Policy(hours=1, days=2, weeks=3)) == ages[:3]


def test_the_oldest_beyond_the_most_bytes_are_dropped_and_the_newest_never() -> None:
    ages = [timedelta(hours=n) for n in range(4)]
    assert kept(ages, Policy(most_bytes=10), [4, 4, 4, 4]) == ages[:2]
    assert kept(ages, Policy(most_bytes=10), [40, 4, 4, 4]) == ages[:1]


def test_a_backup_is_due_after_an_hour_a_day_for_a_large_database_and_after_the_clock_was_put_back() -> None:
    policy = Policy(large=100)
    assert policy.is_due(None, NOW, 1)
    assert not policy.is_due(NOW - timedelta(minutes=59), NOW, 1)
    assert policy.is_due(NOW - timedelta(minutes=60), NOW, 1)
    assert not policy.is_due(NOW - timedelta(hours=23), NOW, 100)
    assert policy.is_due(NOW - timedelta(hours=24), NOW, 100)
    assert policy.is_due(NOW + timedelta(hours=1), NOW, 1)
