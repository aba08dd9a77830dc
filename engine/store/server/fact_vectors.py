"""The facts of each case as one vector, so that PostgreSQL weighs cases by an inner product. Knows no query.

Entry n is the probability of one value of one kind (`number_of`). The table `facts` is the only truth; triggers keep
the vectors like it.
"""

from engine.facts.fact import KINDS, VALUES, FactKind
from engine.store.fact_bonus import FactBonus

_LENGTHS = [len(VALUES[kind]) + 1 for kind in KINDS]
"""The last number of a kind is that of a value that no version of ours writes."""
SIZE = sum(_LENGTHS)
_BEFORE = {kind: sum(_LENGTHS[:n]) for n, kind in enumerate(KINDS)}


def number_of(kind: FactKind, value: str) -> int:
    """The entry of a value, from 1 on, as pgvector counts."""
    known = VALUES[kind]
    return _BEFORE[kind] + (known.index(value) + 1 if value in known else len(known) + 1)


def bonus_vector(bonus: FactBonus) -> str:
    """What each entry adds, as text of pgvector's `sparsevec`; the bonus of a case is the inner product with it."""
    weights = {number_of(kind, value): bonus.of(kind, value) for kind in KINDS for value in (*VALUES[kind], "")}
    return f"{{{','.join(f'{number}:{weight:.9g}' for number, weight in weights.items() if weight)}}}/{SIZE}"


_CODES = " ".join(
    f"""WHEN '{kind}' THEN {_BEFORE[kind]}
        + coalesce(array_position(ARRAY{[*VALUES[kind]]}, $2), {len(VALUES[kind]) + 1})"""
    for kind in KINDS
)
_OF_FACTS = f"""SELECT case_id,
    ('{{' || string_agg(fact_number(kind, value) || ':' || probability, ',') || '}}/{SIZE}')::sparsevec
    FROM facts WHERE fact_number(kind, value) IS NOT NULL AND probability BETWEEN 0 AND 1"""
FILL = f"INSERT INTO fact_vectors {_OF_FACTS} GROUP BY case_id"
TABLES = (
    """CREATE TABLE fact_vectors (case_id bigint PRIMARY KEY REFERENCES cases (id) ON DELETE CASCADE,
        facts sparsevec NOT NULL) WITH (fillfactor = 80)""",
    f"""CREATE FUNCTION fact_number(kind text, value text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE $1 {_CODES} END $$""",
    # As the owner, since a writer changes facts only. Temporary tables, which anyone may make, come last: by default
    # they come first, and a trigger on one of that name would be executed as the owner.
    f"""CREATE FUNCTION put_fact_vector() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = kindred, public, pg_temp AS $$
        DECLARE changed bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.case_id ELSE NEW.case_id END;
        BEGIN
            INSERT INTO fact_vectors {_OF_FACTS} AND case_id = changed GROUP BY case_id
                ON CONFLICT (case_id) DO UPDATE SET facts = excluded.facts;
            IF NOT FOUND THEN DELETE FROM fact_vectors WHERE case_id = changed; END IF;
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER put_fact_vector AFTER INSERT OR UPDATE OR DELETE ON facts FOR EACH ROW
        EXECUTE FUNCTION put_fact_vector()""",
    "CREATE STATISTICS facts_by_value (mcv) ON kind, value FROM facts",  # values of one kind are of that kind only
    "REVOKE EXECUTE ON FUNCTION put_fact_vector() FROM PUBLIC",  # no trigger of others; that on `facts` needs no right
)
