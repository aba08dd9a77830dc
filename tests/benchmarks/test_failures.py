"""Reports that the models were trained on are counted separately from the others."""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import failures


def query(name: str, kind: str, trained: bool | None) -> failures.RankedQuery:
    return failures.RankedQuery(Path(name), kind, "text", "CC BY", 1.0, "text", trained)


def test_reports_that_were_trained_on_have_their_own_row() -> None:
    queries = [query("a", "ultrasound", False), query("b", "radiograph", False), query("c", "radiograph", True)]
    assert {
        name: [one.image.name for one in part] for name, part in failures.by_kind_and_training(queries).items()
    } == {
        "radiograph, report trained on": ["c"],
        "radiograph, report not trained on": ["b"],
        "ultrasound, report not trained on": ["a"],
    }


def test_only_train_rows_of_the_sources_of_the_bundle_count_as_trained_on(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "pairs.csv").write_text(
        "image,text,split,patient_id,split_group,source\na.png,Clear  lungs.,train,p1,g1,Ours\n"
        "b.png,Effusion.,val,p2,g2,Ours\nc.png,Fracture.,train,p3,g3,Theirs\n"
    )
    assert failures.trained_on(tmp_path, {"Ours"}) == {"Clear lungs."}


def test_without_the_training_data_nothing_is_claimed(tmp_path: Path) -> None:
    assert failures.trained_on(tmp_path, {"Ours"}) is None
    assert list(failures.by_kind_and_training([query("a", "radiograph", None)])) == ["radiograph"]


def test_the_worst_query_of_each_kind_is_shown() -> None:
    ranks = {("radiograph", 3.0), ("radiograph", 9.0), ("ultrasound", 2.0)}
    queries = [failures.RankedQuery(Path("a"), kind, "text", "CC BY", rank, "text", None) for kind, rank in ranks]
    assert {(one.kind, one.rank) for one in failures.worst(queries)} == {("radiograph", 9.0), ("ultrasound", 2.0)}


def test_the_sheet_shows_the_worst_images(tmp_path: Path) -> None:
    image = tmp_path / "gradient.png"
    Image.linear_gradient("L").save(image)
    queries = [failures.RankedQuery(image, "radiograph", "text", "CC BY", 9.0, "text", None)]
    failures.sheet(queries, tmp_path / "sheet.png")
    assert np.asarray(Image.open(tmp_path / "sheet.png").convert("L")).max() > 250
