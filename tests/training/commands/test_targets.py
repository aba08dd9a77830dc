"""Targets are reached by values, and recall against the baseline by its interval."""

from training.tables import targets

RECIPE, BASE = "ATP+CU", "CLIP-LT"


def test_each_target_says_whether_it_is_reached() -> None:
    comparison = {"difference": 0.01, "low": -0.03, "high": 0.05, "verdict": "undecided"}
    found = {
        "pairs": {
            "models": {
                RECIPE: {
                    "gap_over_floor": {"value": 0.04, "low": 0.01, "high": 0.07},
                    "recall@10_image_to_text": {"value": 0.47, "low": 0.4, "high": 0.54},
                }
            },
            "comparisons": {f"{RECIPE} over {BASE}": {"recall@10_image_to_text": comparison}},
        }
    }
    assert targets.table(found, RECIPE, BASE).splitlines()[2:] == [
        "| pairs | gap over floor at most 0.050 | 0.040 (0.010 to 0.070) | reached |",
        "| pairs | R@10 i2t at least 48.0 | 47.0 (40.0 to 54.0) | **missed** |",
        "| pairs | R@10 i2t not worse than CLIP-LT | +1.0 (-3.0 to +5.0) | **missed** |",
    ]


def test_an_auroc_says_how_many_images_and_studies_it_is_of() -> None:
    found = {
        "IU": {
            "models": {
                RECIPE: {"auroc_pneumothorax": {"value": 0.9}, "findings@5_index_abnormal_others": {"value": 0.2}}
            },
            "positives": {"pneumothorax": {"images": 5, "studies": 3}},
            "comparisons": {},
        }
    }
    assert targets.table(found, RECIPE, BASE).splitlines()[2:] == [
        "| IU | abnormal, other studies at least 0.300 | 0.200 | **missed** |",
        "| IU | AUROC pneumothorax at least 0.880 (5 images of 3 studies) | 0.900 | reached |",
    ]


def test_every_target_is_a_column_of_the_tables() -> None:
    assert all(target.title for target in targets.TARGETS)
