"""Counts the body regions that a text names: words of reports and of headers, in the commonest languages.

Does not know sentences, negation or codes. A phrase counts before its words: the femoral head is not a head.
"""

import re
import unicodedata
from collections import Counter

from engine.text.body_regions import BODY_PARTS

REGION_OF_PART = {"arm": "limb", "leg": "limb"}
"""Body parts of `body_regions` that are a region under another name."""

PHRASES: tuple[tuple[str, str], ...] = (
    ("spine", r"(?:thoracic|dorsal|lumbar|cervical|sacral|lumbosacral)[- ](?:spine|vertebra\w*|dis[ck]s?|levels?)"),
    (
        "spine",
        r"(?:spinal|vertebral) (?:canal|cord|column|body|bodies)|(?:thoraco|cervico|lumbo)\w* (?:spine|junction)",
    ),
    (
        "spine",
        r"colonne (?:cervicale|dorsale|lombaire|vertebrale)|columna (?:\w+ )?(?:vertebral|cervical|lumbar|dorsal)",
    ),
    (
        "spine",
        r"(?:rachide|colonna|hws|bws|lws)\b(?: \w+)?|[ctl][- ]?spine|(?:cauda|filum) \w+|\b[ctl]\d{1,2}[-/][ctls]?\d",
    ),
    (
        "chest",
        r"(?:left|right|both|bi)[- ]?(?:ventric\w+|atri\w+)|ventricular (?:septum|septal|wall|systol\w+|dysfunction)",
    ),
    (
        "chest",
        r"(?:aortic|mitral|tricuspid|pulmonary|pulmonic) (?:valve|arch|root|stenosis|regurgitation)|coronary \w+",
    ),
    (
        "chest",
        r"(?:upper|lower|middle) lobes?\b|(?:ascending|descending|thoracic) aort\w+|costophrenic (?:sinus|angle)s?",
    ),
    (
        "chest",
        r"thoracic (?:wall|cavity|inlet|outlet)|pleural effusions?|left anterior descending|circumflex|"
        r"echo ?cardiogra\w*|calcium score|smart ?score",
    ),
    ("abdomen", r"abdominal (?:aort\w+|wall)|(?:small|large) (?:bowel|intestine)s?|inferior vena cava|porta hepatis"),
    ("abdomen", r"(?:head|neck|body|tail) of (?:the )?pancreas|pancreatic (?:head|neck|body|tail|duct)|portal vein"),
    ("abdomen", r"(?:ascending|descending|transverse) colon|(?:common )?bile ducts?|psoas"),
    (
        "pelvis",
        r"(?:urinary )?bladder|fallopian tubes?|sacro ?iliac|pubic (?:symphysis|ram\w+)|uterine cervix|iliac (?:bone|"
        r"wing)",
    ),
    ("limb", r"(?:head|neck|shaft) of (?:the )?(?:\w+ )?(?:femur|humerus|radius|fibula|metacarpal|metatarsal)"),
    ("limb", r"(?:femoral|humeral|radial|fibular|metatarsal|metacarpal) (?:heads?|neck|shaft|artery|condyles?|vein)"),
    (
        "limb",
        r"rotator cuff|achilles tendon|plantar fascia|soft tissues? of the (?:arm|leg|thigh|calf)|popliteal (?:\w+)",
    ),
    (
        "head",
        r"(?:frontal|temporal|parietal|occipital) (?:lobe|horn|bone|lesion|sinus)\w*|(?:optic|facial) (?:nerve|chiasm)",
    ),
    ("head", r"(?:lateral|third|fourth|3rd|4th) ventric\w+|basal ganglia|corpus callosum|white matter|gr[ae]y matter"),
    (
        "head",
        r"(?:paranasal|maxillary|ethmoid|sphenoid|cavernous) sinus\w*|posterior fossa|internal auditory|brain ?stem",
    ),
    ("neck", r"(?:cervical|neck) (?:lymph nodes?|lymphadenopathy|mass)|common carotid|vocal cords?|oral cavity"),
    ("", r"(?:frontal|temporal) (?:view|projection|radiograph|resolution|film|chest|image)\w*|on the other hand"),
    ("", r"(?:renal|hepatic) (?:failure|insufficiency)|(?:chest|abdominal|neck|back) pain|vertebral arter\w+"),
    ("", r"gall ?bladder neck|neck of the|head of the|heads? and|sinus (?:rhythm|tachy\w+|tract)|on the one hand"),
)
"""Region ("": none) and what stands for it, before single words are looked up."""

MORE_WORDS = {
    "head": "kopf schadel schaedel hirn gehirn cranium crane tete cerveau cerebrale encefalo cranio cerebro cabeza "
    "craneo testa capo neurocranium nasal sella sellar suprasellar pons midbrain hippocampal hippocampus hypothalamic "
    "caudate putamen intraventricular intraaxial infratentorial supratentorial meningeal mastoid cochlea cochlear eye "
    "eyes ocular globe optic retina retinal palate tongue scalp calvarium calvarial cranium jaw molar molars premolar "
    "incisor mandible neurohypophysis pineal iac petrous clivus midfacial zygomatic nose nasopharynx nasopharyngeal "
    "gehirnschadel",
    "neck": "carotids hals cou collo cuello schilddruse thyroide tiroide tiroides supraclavicular tonsil tonsillar "
    "hypopharynx oropharynx cricoid hyoid parathyroid",
    "chest": "lunge brust torax torace thorace poumon poumons polmone polmoni pulmon pulmones herz coeur cuore "
    "corazon cxr lobe lobar trachea tracheal alveolar interstitial retrosternal sternum sternal thymus thymic "
    "hemithorax cardiothoracic myocardium myocardial atrial ventricular mitral tricuspid atrium endobronchial "
    "perihilar hemidiaphragm paratracheal parenchymal bronchi bibasilar bibasal midlung",
    "breast": "mamma mammae sein seins seno mama mamas mammographie mammografia mammaria mammary nipple fibroglandular",
    "abdomen": "abdome addome oberbauch bauch leber foie fegato higado niere nieren rein reins rene riñon milz rate "
    "milza pankreas magen bowels ileum jejunum cecum caecum sigmoid esophagogastric omentum omental mesentery "
    "peritoneum hepatobiliary ureter ureteral ureters nephric perinephric hepatis cholangio choledochal intrahepatic "
    "colic gastrointestinal subhepatic retroperitoneum ventre kub abd ileocecal enteric intraabdominal",
    "pelvis": "becken bassin pelvi bacino pelvico prostata vessie blase utero vagina vaginal ovaries iliac ilium "
    "ischium pubis perineal perineum anal gestational endometrium endometrium fetus fetal coccyx sacroiliac seminal "
    "adnexa parametrial perirectal presacral myometrium uterus testes",
    "spine": "wirbelsaule wirbelsaeule rachis colonna columna hws bws lws cspine tspine lspine lsspine tlspine csp "
    "lsp tsp vertebrale vertebral sspine intraspinal intradural epidural syrinx odontoid atlantoaxial conus facet "
    "paraspinal thoracolumbar lumbosacral spondylo",
    "limb": "hand hands foot feet leg legs arm arms thigh calf forearm finger fingers thumb toes heel knees hips "
    "ankles elbows wrists shoulders huft hufte huefte hueft knie schulter ellenbogen handgelenk sprunggelenk fuss "
    "oberschenkel unterschenkel oberarm unterarm hanche genou epaule coude poignet cheville pied main femore anca "
    "ginocchio spalla gomito polso caviglia piede mano cadera rodilla hombro codo muneca tobillo pie extremity "
    "extremities limb limbs glenohumeral acromioclavicular scaphoid lunate tarsal navicular cuboid phalanx phalanges "
    "phalangeal meniscus meniscal cruciate glenoid labrum labral supraspinatus infraspinatus subscapularis deltoid "
    "quadriceps malleolus trochanter trochanteric intertrochanteric condyle olecranon metatarsals metacarpals "
    "popliteal clavicular tarsus calcaneal talar tibiofibular upperextremity lowerextremity lowerleg upperarm femurs "
    "patellofemoral",
}

IMPLIED = {
    "head": "glioma gliomas glioblastoma meningioma hydrocephalus astrocytoma medulloblastoma ependymoma "
    "schizencephaly neurocytoma craniopharyngioma holoprosencephaly lissencephaly encephalitis encephalomalacia "
    "ventriculomegaly ventriculitis oligodendroglioma craniotomy leukodystrophy intraparenchymal subarachnoid",
    "chest": "pneumothorax pneumonia cardiomegaly atelectasis bronchiectasis empyema pneumomediastinum "
    "hydropneumothorax pneumothoraces hemothorax pneumonitis cardiomyopathy",
    "abdomen": "hydronephrosis cholecystitis appendicitis cholelithiasis pancreatitis cirrhosis diverticulitis ascites "
    "splenomegaly hepatomegaly nephrolithiasis pneumoperitoneum intussusception gallstone gallstones nephrocalcinosis "
    "cholangiocarcinoma",
    "spine": "spondylolisthesis scoliosis spondylolysis spondylodiscitis spondylitis myelomalacia syringomyelia",
    "breast": "fibroadenoma birads bi-rads",
    "pelvis": "endometriosis endometrioma",
}
"""Findings of one region; they count half, since the name of an organ tells more."""


def _flat(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


AMBIGUOUS = frozenset(
    ("frontal", "temporal", "radial", "sinus", "main", "rate", "capo", "testa", "cou", "lobe", "colic")
)
"""Names of a region that more often mean something else."""
WORDS = {
    word: REGION_OF_PART.get(part, part)
    for table in (BODY_PARTS, MORE_WORDS)
    for part, listed in table.items()
    for word in _flat(listed).split()
    if word not in AMBIGUOUS
}
FINDINGS = {word: region for region, listed in IMPLIED.items() for word in listed.split()}
_PHRASES = [(region, re.compile(rf"\b(?:{pattern})\b")) for region, pattern in PHRASES]


INSIDE = re.compile(
    "abdomen|pelvis|thorax|chest|brain|spine|liver|prostate|shoulder|knee|ankle|wrist|elbow|breast|knie|huft|schulter|"
    "wirbel|schadel|becken|lunge|mammo"
)
"""Names found inside a longer word too, as in "t1sagknee"."""
TERMS = re.compile("(chest|abdomen|abd|pelvis|head|neck)(?=[a-z])")
"""Body parts that DICOM writes as one word, as in CHESTABDPELVIS (PS3.16 L)."""
NOT_NAMES = re.compile(
    r"\bhead first\b|\bc-arm\b|\bfeet first\b|\bfree hand\b|\bneck coil\b|\bbody coil\b|\bhead coil\b"
)


def region_of_names(text: str) -> str | None:
    """The one region that a description or code of a header names; "abdomen" for abdomen and pelvis together."""
    flat = NOT_NAMES.sub(" ", re.sub(r"[_^]", " ", _flat(text)))
    found = set(regions_named(TERMS.sub(r"\1 ", flat)))
    if not found:
        found = set(regions_named(" ".join(INSIDE.findall(flat))))
    if found == {"abdomen", "pelvis"}:
        return "abdomen"
    return found.pop() if len(found) == 1 else None


def regions_named(text: str) -> Counter[str]:
    """How often each region is named, by phrases, words and findings (half); an empty counter for none."""
    rest = _flat(text)
    found: Counter[str] = Counter()
    for region, pattern in _PHRASES:
        rest, times = pattern.subn(" ; ", rest)
        if region and times:
            found[region] += 2 * times
    for word in re.findall(r"[a-z0-9]+", rest):
        if word in WORDS:
            found[WORDS[word]] += 2
        elif word in FINDINGS:
            found[FINDINGS[word]] += 1
    return found
