"""What facts add to cases, as SQL, and which cases they could lift above a limit. Knows no vectors."""

from math import isnan

from engine.store.fact_bonus import FactBonus
from engine.store.server.fact_vectors import bonus_vector

Part = tuple[str, list[object]]
"""SQL with its values."""
CLOSE = 0.15
"""Of a cosine; weaker facts than this are not counted for that."""
LARGE = 1e6
WITH_FACT = "cases.id IN (SELECT case_id FROM facts WHERE kind = ? AND value = ?)"


def bonus_sql(bonus: FactBonus) -> tuple[str, list[object], str]:
    """The bonus of a case as SQL, its values, and the join that it needs."""
    if not bonus:
        return "0.0::float8", [], ""
    join = " LEFT JOIN fact_vectors ON fact_vectors.case_id = embeddings.case_id"
    return "coalesce(-(fact_vectors.facts <#> ?::sparsevec), 0)", [bonus_vector(bonus)], join


def scaled(bonus: FactBonus, factor: float) -> FactBonus:
    """The bonus times a number, with weights that PostgreSQL takes: no number is 0, and none is above LARGE."""

    def weight(value: float) -> float:
        return 0.0 if isnan(value) else max(-LARGE, min(LARGE, factor * value))

    return FactBonus(
        {kind: {value: weight(one) for value, one in weights.items()} for kind, weights in bonus.weights.items()},
        {kind: weight(one) for kind, one in bonus.other.items()},
    )


def most_of(bonus: FactBonus) -> float:
    """No case has a higher bonus."""
    kinds = bonus.weights.keys() | bonus.other.keys()
    return sum(max(0.0, bonus.other.get(kind, 0.0), *bonus.weights.get(kind, {}).values()) for kind in kinds)


def top_level(bonus: FactBonus) -> float:
    """The highest bonus of a case without the weakest fact; cases above it have all of them."""
    weights = [max(values.values(), default=0.0) for values in bonus.weights.values()]
    return most_of(bonus) - min((weight for weight in weights if weight >= CLOSE), default=0.0)


def facts_above(bonus: FactBonus, above: float) -> list[Part]:
    """The facts without which no case has a bonus above this."""
    most = most_of(bonus)
    found: list[Part] = []
    for kind, weights in bonus.weights.items():
        adding = [value for value, weight in weights.items() if weight > 0]
        if len(adding) == 1 and bonus.other.get(kind, 0.0) <= 0 and most - weights[adding[0]] <= above:
            found.append((WITH_FACT, [kind, adding[0]]))
    return found
