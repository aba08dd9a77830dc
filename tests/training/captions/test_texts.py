"""Reducing a report to what its image shows, and what counts as history."""

import pytest

from training.captions.texts import about_the_image, mentions_history


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A 72-year-old woman admitted with fever. Bilateral opacities are seen.", "Bilateral opacities are seen."),
        (
            "Chest CT of a 54-year-old male patient showing a mass in the left lung.",
            "Chest CT showing a mass in the left lung.",
        ),
        ("Axial CT (a) shows an effusion (white arrow) on the right.", "Axial CT shows an effusion on the right."),
        ("Presentation: Cough and fever. Imaging Notes: No pleural effusion..", "No pleural effusion."),
        ("PA view. Heart size is normal. XXXX are stable.", "PA view. Heart size is normal."),
        ("Dry cough, chest pain and dyspnea", ""),
        ("There is a 3.2 x 2.1 cm lesion at T2 with edema.", "There is a 3.2 x 2.1 cm lesion at T2 with edema."),
    ],
)
def test_only_what_an_image_shows_remains(text: str, left: str) -> None:
    assert about_the_image(text) == left


def test_ages_and_complaints_are_history_also_in_the_spelling_of_the_decoder() -> None:
    assert mentions_history("a 50 - year - old man with novel coronavirus")
    assert mentions_history("illness day 15")
    assert not mentions_history("chest x - ray shows bilateral opacities of the lungs .")
