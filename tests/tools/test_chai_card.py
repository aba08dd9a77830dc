"""The model card in CHAI's form: that of the bundle that ships, in the order of the schema, with its figures."""

import json
import re

import pytest
from lxml import etree

from tools.chai_card import BUNDLE, NAMESPACE, PAGE, WORDS, XML, card_of, page, xml

MANIFEST = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))
SCHEMA = {
    "AppliedModelCard": "BasicInfo ReleaseInfo ModelSummary UsesAndDirections Warnings TrustIngredients KeyMetrics "
    "Resources Bibliography",
    "BasicInfo": "ModelName ModelDeveloper DeveloperContact",
    "ReleaseInfo": "ReleaseStage ReleaseDate ReleaseVersion GlobalAvailability RegulatoryApproval",
    "ModelSummary": "Summary Keywords",
    "UsesAndDirections": "IntendedUseAndWorkflow PrimaryIntendedUsers HowToUse TargetedPatientPopulation "
    "CautionedOutOfScopeSettings",
    "Warnings": "KnownRisksAndLimitations KnownBiasesOrEthicalConsiderations ClinicalRiskLevel",
    "TrustIngredients": "AISystemFacts TransparencyInformation",
    "AISystemFacts": "OutcomesAndOutputs ModelType FoundationModels InputDataSource OutputAndInputDataTypes "
    "DevelopmentDataCharacterization BiasMitigationApproaches OngoingMaintenance Security Transparency",
    "TransparencyInformation": "FundingSource ThirdPartyInformation StakeholdersConsulted",
    "KeyMetrics": "UsefulnessUsabilityEfficacy FairnessEquity SafetyReliability",
    "UsefulnessUsabilityEfficacy": "MetricGoal Results Interpretation TestType TestingDataDescription "
    "ValidationProcessAndJustification",
    "MetricResult": "Label ValueJson",
    "Resources": "EvaluationReferences ClinicalTrial PeerReviewedPublications ReimbursementStatus "
    "PatientConsentOrDisclosure",
}
"""Children in the order of https://mc.chai.org/v0.2/schema.xsd."""


def test_page_and_xml_are_those_of_the_bundle_that_ships() -> None:
    """If not: `python -m tools.chai_card`."""
    card = card_of(MANIFEST)
    assert PAGE.read_text(encoding="utf-8") == page(card)
    assert XML.read_bytes() == xml(card)


@pytest.mark.parametrize("name", SCHEMA)
def test_elements_stand_in_the_order_of_the_schema(name: str) -> None:
    root = etree.fromstring(XML.read_bytes())
    found = (
        [root, *root.iter(f"{{{NAMESPACE}}}{name}")] if name == "AppliedModelCard" else list(root.iter("{*}" + name))
    )
    assert found
    assert {" ".join(etree.QName(child).localname for child in one) for one in found[:1]} == {SCHEMA[name]}


def test_a_figure_follows_the_manifest() -> None:
    changed = json.loads(json.dumps(MANIFEST))
    changed["metrics"]["recall@10_image_to_text"] = {"value": 0.123, "low": 0.1, "high": 0.15}
    assert "12.3 % (10 to 15)" in page(card_of(changed))


def test_the_figures_are_those_of_our_own_card() -> None:
    own = (BUNDLE / "MODEL_CARD.md").read_text(encoding="utf-8")
    shown = [
        one for one in card_of(MANIFEST)["KeyMetrics"]["UsefulnessUsabilityEfficacy"]["Results"] if "first 10" in one[0]
    ]
    assert len(shown) == 2
    for _, one in shown:
        assert f"{one['estimate']:.1f} ({one['lower']:.1f} to {one['upper']:.1f})" in own


def test_no_figure_is_written_by_hand() -> None:
    words = WORDS.read_text(encoding="utf-8")
    assert set(re.findall(r"\d[\d.,]* ?%", words)) == {"95 %"}  # of the intervals
