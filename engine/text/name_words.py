"""Words that tell a person's name from other capitalized words, in five languages. Knows no rules.

Given names that are also words, or part of a medical eponym (Grace, Frank, Arnold, Douglas), are not listed.
"""

import re
import unicodedata


def flat(text: str) -> str:
    """Lower case without accents, to compare words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def _words(text: str) -> frozenset[str]:
    return frozenset(flat(text).split())


GIVEN_NAMES = _words(
    # English
    "james john robert michael william david richard joseph charles christopher daniel matthew anthony donald steven "
    "andrew kenneth joshua kevin brian george timothy ronald jason edward jeffrey ryan jacob gary nicholas eric "
    "jonathan stephen larry scott brandon benjamin samuel gregory alexander patrick jack dennis tyler aaron jose "
    "henry adam nathan zachary kyle walter jeremy harold terry sean carl lawrence jesse roger keith jerry joe bryan "
    "billy ralph eugene russell bobby harry howard philip louis vincent randy gabriel logan alan wayne roy dylan juan "
    "bruce ethan johnny bradley clarence trevor nigel graham gareth alistair hamish declan liam callum rhys "
    "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen nancy lisa betty margaret sandra ashley "
    "kimberly emily donna michelle carol amanda dorothy melissa deborah stephanie rebecca sharon laura cynthia "
    "kathleen amy angela shirley brenda pamela emma nicole helen samantha katherine christine debra rachel carolyn "
    "janet maria catherine heather diane olivia julie joyce victoria ruth virginia lauren kelly christina joan evelyn "
    "judith andrea hannah megan cheryl jacqueline martha madison teresa gloria sara janice ann kathryn abigail sophia "
    "frances jean alice judy isabella julia denise amber marilyn danielle beverly charlotte natalie theresa diana "
    "brittany doris kayla alexis lori marie fiona gillian hazel maureen siobhan priya mohammed ahmed fatima aisha "
    "craig todd derek brent curtis glenn leslie tracy shannon tammy crystal wendy tina dana holly erin courtney "
    "lindsay molly katie kathy peggy gail rhonda vanessa monica tiffany jasmine gerald leonard stanley leon darren "
    # German
    "hans peter wolfgang klaus jurgen juergen dieter manfred uwe gunter guenter gunther horst bernd werner karl heinz "
    "helmut gerhard walter frank thomas andreas stefan christian markus matthias martin jens sven torsten thorsten "
    "ralf dirk holger jorg joerg rolf norbert reinhard siegfried ernst friedrich wilhelm otto heinrich hermann ludwig "
    "rudolf josef johann johannes georg franz anton alois lothar volker ulrich rainer reiner detlef hartmut eckhard "
    "eberhard egon erwin kurt erich fritz willi gustav adolf bruno konrad kaspar lukas jonas felix maximilian tobias "
    "sebastian florian philipp fabian dominik niklas finn ursula renate ingrid monika helga karin brigitte gisela "
    "christa elke petra sabine gabriele susanne andrea birgit claudia heike angelika martina barbara annette anja "
    "nicole katrin kathrin silke anna elisabeth erika gerda hildegard ilse irmgard edith waltraud hannelore gudrun "
    "sigrid ulrike cornelia bettina doris heidi jutta marion regina rosemarie ruth margarete margarethe martha frieda "
    "gertrud hedwig herta kathe kaethe annegret anneliese liselotte lieselotte marianne mathilde elfriede roswitha "
    "sieglinde steffi stefanie melanie tanja sonja kerstin ute antje maike meike svenja leonie lena mehmet mustafa "
    "ayse fatma emine hatice murat ali hasan huseyin ibrahim zeynep elif olga natascha svetlana dmitri sergej igor "
    # French
    "jean pierre michel andre philippe rene louis alain jacques bernard marcel daniel roger robert paul claude henri "
    "christian nicolas georges laurent olivier stephane pascal thierry frederic eric francois patrick gerard gilles "
    "bruno didier dominique serge maurice raymond yves guy denis luc marc antoine guillaume sebastien julien vincent "
    "david christophe jerome emmanuel benoit thibault mathieu matthieu maxime alexandre romain kevin florent cedric "
    "fabrice franck lionel gaston lucien emile leon fernand edmond etienne xavier hugues arnaud adrien remi remy "
    "quentin theo hugo lucas enzo nathan ousmane mamadou moussa karim rachid mohamed youssef monique catherine "
    "francoise jacqueline nathalie isabelle sylvie anne martine christine christiane nicole valerie sandrine veronique "
    "chantal jeanne denise brigitte sophie stephanie celine corinne patricia therese madeleine suzanne louise yvonne "
    "simone genevieve odette marguerite germaine yvette lucienne marcelle helene evelyne josiane annie danielle "
    "michele colette bernadette elisabeth florence laurence emilie aurelie julie elodie virginie delphine camille "
    "caroline agathe margaux manon lea chloe zoe ines oceane mathilde clemence juliette capucine ghislaine solange "
    "josephine henriette eugenie gabrielle noemie benedicte marthe alphonse auguste aime honore gregoire tristan "
    # Spanish
    "antonio jose manuel francisco juan david javier daniel carlos jesus alejandro miguel rafael pedro pablo angel "
    "sergio fernando jorge luis alberto alvaro diego adrian raul enrique ramon vicente ivan ruben oscar andres joaquin "
    "santiago eduardo victor roberto jaime mario ignacio alfonso salvador ricardo marcos jordi emilio julian julio "
    "guillermo gabriel tomas agustin gonzalo felix hugo martin ismael nicolas gregorio cesar iker inigo unai aitor "
    "arturo gustavo esteban rodrigo mauricio ernesto hector gerardo armando lorenzo rogelio ruperto eusebio anselmo "
    "maria carmen ana isabel dolores pilar teresa josefa francisca cristina antonia laura elena marta mercedes lucia "
    "concepcion rosario juana raquel manuela sara paula beatriz patricia encarnacion alba montserrat nuria silvia "
    "julia irene yolanda sonia montse amparo sandra angela alicia susana margarita inmaculada esther noelia lorena "
    "ines eva nerea itziar ainhoa esperanza consuelo remedios trinidad asuncion rocio catalina veronica guadalupe "
    "alejandra gabriela daniela valentina ximena fernanda leticia graciela socorro abigail graciana visitacion "
    # Italian
    "giuseppe giovanni antonio mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno "
    "paolo michele giorgio aldo sergio luciano roberto alberto enzo stefano marco andrea luca matteo alessandro "
    "davide simone fabio massimo claudio gianni giancarlo gianfranco gianluca pasquale raffaele gennaro ciro nicola "
    "nicolo niccolo filippo giacomo tommaso lorenzo edoardo riccardo emanuele gabriele daniele cristian maurizio "
    "sandro renato guido umberto vittorio ettore cesare arturo ugo dario elio ivo rocco carmelo gaetano rosario "
    "calogero rinaldo ermanno amedeo ottavio fausto maria anna giuseppina rosa angela giovanna teresa lucia carmela "
    "caterina francesca antonietta carla elena concetta rita margherita franca paola giuseppa laura luisa silvana "
    "giulia valentina chiara sara martina alessandra federica elisa silvia ilaria simona barbara cristina patrizia "
    "stefania raffaella daniela lorella donatella antonella ornella graziella mariangela immacolata assunta "
    "addolorata filomena loredana tiziana roberta michela beatrice ludovica ginevra camilla arianna giada eleonora "
    "bianca vincenza nunzia gianna adriana emanuela nicoletta fernanda liliana ivana marisa mirella"
) - _words(
    "frank grace arnold martin marie ann thomas paul simon robin lewis albert austin bernard claude pierre douglas "
    "leon "
    "scott victor angel rosa chiara bianca franca salvador consuelo pilar dolores mercedes rosario socorro remedios "
    "asuncion trinidad encarnacion visitacion amparo esperanza concepcion jack terry randy rocky crystal amber hazel "
    "gail holly dana tracy aime honore auguste jean russell wayne craig roger brent curtis virginia madison jose henry "
    "edward charles"
)
"""Lower case without accents: what is next to one of them, capitalized, is a family name."""

WITH_FAMILY_NAME = _words(
    "frank martin marie ann thomas paul simon robin lewis albert bernard claude pierre scott victor angel rosa chiara "
    "bianca franca salvador consuelo pilar dolores mercedes rosario socorro remedios asuncion trinidad encarnacion "
    "amparo esperanza concepcion jack terry randy crystal amber hazel gail holly dana tracy jean russell wayne craig "
    "roger brent curtis virginia madison jose henry edward charles arnold grace douglas leon"
)
"""Given names that are also words or eponyms: a name only as part of a sign-off or beside a title."""

EPONYMS = _words(
    "hodgkin crohn parkinson kerley morton baker schmorl hounsfield scheuermann bechterew perthes paget basedow boeck "
    "wilson meniere dupuytren ledderhose sudeck osgood schlatter kohler kienbock ahlback alzheimer waldenstrom whipple "
    "addison cushing fabry gaucher pompe still behcet forestier baastrup hirschsprung raynaud binswanger pick "
    "huntington werlhof osler meulengracht ormond peyronie chagas willis virchow sylvius silvio hoffa haglund kager "
    "lisfranc chopart colles smith barton bankart sachs buford hampton westermark fleischner wilms burkitt meckel "
    "ewing brodie gleason lodwick bosniak cobb salter harris deauville arbor douglas treitz winslow wirsung santorini "
    "vater oddi murphy doppler ganz chilaiditi stenon wharton bartholin bartolino adamkiewicz thurner broca wernicke "
    "billroth roux wells agatston jones charcot marie tooth chiari guillain barre down turner marfan ehlers danlos "
    "sturge weber bourneville recklinghausen hippel lindau horner pancoast eisenmenger fallot ebstein kawasaki "
    "takayasu "
    "horton sjogren hashimoto quervain riedel plummer graves zenker barrett mallory mirizzi courvoisier bouveret "
    "rokitansky aschoff budd caroli klatskin kupffer glisson couinaud morison gerota zuckerkandl retzius cooper "
    "hesselbach "
    "spigel richter littre petit bochdalek morgagni monteggia galeazzi bennett rolando jefferson chance hangman "
    "segond maisonneuve jones pott freiberg sever sinding larsen blount legg calve preiser tietze looser milkman "
    "gorham codman maffucci ollier kaposi castleman rosai dorfman erdheim chester langerhans hand schuller christian "
    "wegener goodpasture churg strauss loffler caplan hamman rich macklin swyer james mcleod kartagener mounier kuhn "
    "williams campbell monro magendie luschka galen rosenthal trolard labbe heubner percheron sylvian rolandi meyer "
    "dandy walker arnold rathke moyamoya pott kummell modic tarlov pfirrmann outerbridge stener scarpa hunter guyon "
    "struthers osborne spaulding harrison whitaker dietl randall dobhoff foley hickman broviac kirschner harrington "
    "valsalva graf ladd moore thompson hartmann nissen fontan glenn norwood mustard senning blalock taussig ross "
    "bentall"
)
"""Names of diseases, signs and structures: no person after a weak cue."""

NOT_NAMES = EPONYMS | _words(
    # English: openings of sentences and headings, and titles of examinations
    "a an the this that these there here no not none normal is are was were has had have and or of in on at by for "
    "from "
    "to with without within as if it its he she his her we our you your they patient patients name names age sex male "
    "female history indication indications comparison findings finding impression conclusion technique exam "
    "examination study studies procedure report reports date time clinical information reason results result "
    "recommendation addendum images image view views series chest abdomen pelvis head neck spine brain lung lungs "
    "heart "
    "liver kidney kidneys spleen bone bones breast knee hip shoulder hand foot ankle wrist elbow skull thorax ct mr "
    "mri "
    "pet us xr cxr angiography ultrasound radiograph radiology department unit ward emergency room nurse doctor "
    "physician surgeon surgery team service resident fellow attending staff consultant technologist radiologist left "
    "right bilateral upper lower middle lobe stable mild moderate severe small large new old prior previous current "
    "interval unchanged compared given due see note please discussed reviewed reported dictated signed electronically "
    "approved may can could should will would no evidence limited portable frontal lateral axial coronal sagittal "
    "contrast fever cough pain trauma fall status post today yesterday monday tuesday wednesday thursday friday "
    "saturday sunday january february march april june july august september october november december dr prof md phd "
    "acute chronic follow up number id mrn dob birth phone tel fax email address street city page bi rads pi ti li "
    "carcinoma cancer disease syndrome lymphoma fracture sign line lines cyst tumor tumour mass tube catheter type "
    "known after before during presenting presented figure fig chief table case cases group supine prone standing "
    "sitting "
    "grade stage score criteria classification index ratio angle nodule node nodes artery vein nerve tendon ligament "
    "muscle joint canal duct duodenum colon "
    # German
    "der die das dem den des ein eine einen einem einer eines kein keine keinen und oder mit ohne bei im in am an auf "
    "aus nach von vom zu zum zur fur durch seit wegen unter uber es er sie wir ihr ist sind war wird wurde wurden hat "
    "patient patientin patienten patientinnen frau herr herrn name vorname nachname geboren geb alter befund befunde "
    "beurteilung anamnese indikation fragestellung klinik klinische angaben technik untersuchung voruntersuchung "
    "vergleich zustand verdacht datum uhr arzt arztin oberarzt chefarzt assistenzarzt abteilung station institut "
    "praxis "
    "thorax abdomen becken schadel kopf hals lunge lungen herz leber niere nieren milz knie hufte schulter hand fuss "
    "wirbelsaule brustwirbelsaule lendenwirbelsaule halswirbelsaule hws bws lws lwk bwk hwk mrt ct rontgen sonographie "
    "sonografie kontrastmittel aufnahme aufnahmen bild bilder serie erguss infiltrat infiltrate fraktur frakturen "
    "lymphknoten raumforderung rundherd rundherde zeichen normal normalbefund unauffallig regelrecht rechts links "
    "beidseits husten fieber schmerz schmerzen luftnot dyspnoe sturz unfall operation therapie kontrolle verlauf "
    "mammakarzinom prostatakarzinom karzinom mamma prostata metastasen tumor zyste kollege kollegin kollegen "
    "uberweiser uberweisung telefon nummer nr adresse strasse montag dienstag mittwoch donnerstag freitag samstag "
    "sonntag januar februar marz mai juni juli oktober dezember hiermit heute gestern keine "
    # French
    "le la les l un une des du de au aux et ou avec sans sur sous dans par pour en chez ce cet cette il elle nous vous "
    "est sont pas patient patiente nom prenom age ne nee examen compte rendu indication indications technique resultat "
    "resultats conclusion comparaison medecin docteur professeur service hopital clinique date scanner irm radio "
    "radiographie echographie poumon poumons coeur foie rein reins rate bassin crane genou hanche epaule main pied "
    "rachis epanchement ganglions absence presence aspect signe signes fracture douleur douleurs toux fievre chute "
    "bilan suivi controle cliches cliche image images serie coupes injection droit droite gauche normal normale "
    "maladie syndrome lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril mai juin juillet "
    "aout septembre octobre novembre decembre madame monsieur mme mlle pr confrere "
    # Spanish
    "el los las lo al del con sin por para se su sus y o es son paciente pacientes nombre apellidos edad examen "
    "estudio "
    "informe indicacion motivo tecnica hallazgos hallazgo conclusion comparacion medico medica doctor doctora servicio "
    "fecha torax pulmon pulmones corazon higado rinon rinones bazo pelvis craneo rodilla cadera hombro mano pie "
    "columna "
    "derrame adenopatias silueta fractura dolor tos fiebre caida control imagen imagenes cortes derecho derecha "
    "izquierdo izquierda lineas signo signos enfermedad sindrome lunes martes miercoles jueves viernes sabado domingo "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre senor senora don dona "
    "dna normales ausencia presencia "
    # Italian
    "il lo gli i una uno dello della dei degli delle nel nella con senza per tra fra e si paziente pazienti nome "
    "cognome "
    "eta esame referto quesito indicazione tecnica reperti reperto conclusioni confronto medico medici dottore "
    "dottoressa servizio reparto data torace polmone polmoni cuore fegato rene reni milza bacino cranio ginocchio anca "
    "spalla mano piede rachide versamento linfonodi ombra frattura dolore tosse febbre caduta controllo immagine "
    "immagini strati destro destra sinistro sinistra strie segno segni malattia sindrome morbo assenza presenza lunedi "
    "martedi mercoledi giovedi venerdi sabato domenica gennaio febbraio aprile maggio giugno luglio settembre ottobre "
    "dicembre signora signore gentile cara caro"
)
"""Capitalized words that end a name, or are none."""

ORDINARY = _words(
    "white black brown gray grey green red blue long short small little head hand foot bone young old rose stone wood "
    "hill low high best good strong sharp large bright light case mark will day may june april marsh field wall bridge "
    "gross klein lang kurz schwarz weiss braun roth rot stark kalt hell dick petit grand blanc noir brun roux gros "
    "leger "
    "blanco rojo moreno cruz delgado calvo grande bianchi rossi bianco rosso nero russo grasso basso conti costa testa "
    "mano lungo corto forte piccolo grosso park bush rice bell burns nail wing cave fields pope price rich rod shaft"
)
"""Family names that are also words of reports: removed only where they are capitalized."""

PLACE_WORDS = _words(
    "hospital hospitals clinic clinics medical center centre infirmary health healthcare general university community "
    "memorial regional county national royal saint st san santa santo sankt radiology imaging diagnostic diagnostics "
    "institute department dept college school of the and klinik klinikum kliniken krankenhaus universitatsklinikum "
    "universitatsspital spital zentrum radiologie institut praxis gemeinschaftspraxis abteilung fur der die das und "
    "hopital hopitaux chu chr ch clinique centre hospitalier universitaire service imagerie medicale de du des la le "
    "et "
    "hospitalario clinica centro universitario servicio radiologia salud del los las ospedale policlinico azienda "
    "ospedaliera istituto reparto di della dei casa cura dr prof med md tech technician technologist radiographer "
    "physician doctor unknown anonymous anonymized none admin user test patient operator mtra rta"
)
"""Words of the names of institutions and roles that identify nobody by themselves."""

METHODS = _words("mri mrt irm pet cxr xray ultrasound")
"""What operators sign in as, too."""

DEPARTMENTS = _words(
    # English
    "cardiology cardiac cardiovascular vascular neurology neuro neuroradiology neurosurgery oncology pulmonology "
    "pulmonary respiratory thoracic gastroenterology gastro hepatology nephrology urology gynecology gynaecology "
    "obstetrics obgyn pediatric paediatric pediatrics paediatrics neonatal orthopedic orthopaedic orthopedics "
    "orthopaedics traumatology rheumatology dermatology endocrinology hematology haematology ophthalmology ent "
    "otolaryngology anesthesiology anaesthesiology intensive critical care icu ccu nicu picu internal medicine family "
    "geriatrics psychiatry pathology nuclear molecular interventional intervention musculoskeletal msk mammography "
    "sonography fluoroscopy tomography magnetic resonance echo echocardiography radiotherapy radiation therapy "
    "outpatient inpatient ambulatory ambulance mobile main north south east west central building floor campus site "
    "day night screening women womens children childrens adult theatre operating suite lab laboratory scanner "
    # German
    "kardiologie neurologie neurochirurgie onkologie pneumologie pulmologie gastroenterologie nephrologie urologie "
    "gynakologie geburtshilfe frauenklinik kinderklinik padiatrie kinderradiologie orthopadie unfallchirurgie "
    "chirurgie gefasschirurgie thoraxchirurgie innere medizin intensiv intensivstation notaufnahme ambulanz poliklinik "
    "neuroradiologie nuklearmedizin strahlentherapie mammographie mammografie senologie rheumatologie dermatologie "
    "hamatologie psychiatrie geriatrie hno augenklinik anasthesie diagnostische interventionelle allgemeine zentrale "
    "nord sud ost sprechstunde haus "
    # French
    "cardiologie neurochirurgie oncologie cancerologie pneumologie hepatologie nephrologie gynecologie obstetrique "
    "maternite pediatrie pediatrique orthopedie orthopedique traumatologie rhumatologie dermatologie hematologie "
    "urgences urgence reanimation soins intensifs medecine interne nucleaire radiotherapie geriatrie orl ophtalmologie "
    "anesthesie consultation diagnostique interventionnelle generale nord sud est ouest centrale "
    # Spanish and Italian
    "cardiologia neurologia neurorradiologia neuroradiologia neurocirugia neurochirurgia oncologia neumologia "
    "pneumologia gastroenterologia digestivo hepatologia epatologia nefrologia urologia ginecologia obstetricia "
    "ostetricia pediatria ortopedia cirugia chirurgia traumatologia reumatologia dermatologia hematologia ematologia "
    "urgencias pronto soccorso reanimacion rianimazione medicina interna nuclear nucleare radioterapia mamografia "
    "mammografia senologia geriatria psiquiatria psichiatria oftalmologia oculistica anestesia uci uvi resonancia "
    "risonanza magnetica tomografia ecografia diagnostico diagnostica immagini general generale norte sur este oeste "
    "ovest nord centrale"
)
"""Specialties, methods and sites that departments are named after: words of reports, not of one institution."""

PARTICLES = re.compile(
    r"(?:van|von|vom|zu|zum|zur|de|der|den|del|della|delle|dei|degli|di|da|dal|dalla|das|dos|du|la|le|les|lo|las|los|"
    r"el|"
    r"al|bin|ibn|ben|ter|ten|y|d|o|st|san|mc|mac)(?![\w.])",
    re.IGNORECASE,
)
"""Of a family name, if a capitalized word follows."""
