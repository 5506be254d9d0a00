# ruff: noqa: RUF001 - letters that look like others are what is tested
"""Texts that tests judge: what must pass, and what must not, however it is dressed."""

INNOCENT = """
girl with sword, neon rain
Scunthorpe at night
assassin's creed style rooftop chase
a class of students assess the situation
the cockpit of a jet, a peacock and a cockatoo
shiitake mushrooms in butter
essex and sussex coast
a grape vine
the therapist's office
a therapist helps a child
night sky
Dickens in London
attack on titan
a spicy ramen, spiced tea, a market of spices
montenegro
the pen is mightier than the sword
an analog synth, the annals of time
a rapping cat, wrapped in paper
cumulus clouds over a document scanner
3 girls drinking tea
a girl and her dog on a hill
a child with a red balloon
school kids running to the train
two kids share the last cookie
a 12 year old oak barrel
hello!!! what a day!!!
c++ and c#, a+b, #1 fan, @home, 5$ for 2+2, f1 car, ak47, ps5, area51, b52, 70s!, r2d2!
1980s cel, 4k 8k, 60 fps, mp3 player, C-3PO and R2-D2
a shooting star over mt fuji
100% cotton, 5 star hotel, rocket launch in 3 2 1
a b c song
U.S.A. flag, J.R.R. Tolkien
push-it to the limit
the niger river in Nigeria
a sexton, a sextant, a basement
matsushita, yoshitaka and ashitaka
Hancock at Arsenal stadium
a cocktail bar
fu dog statues
world domination by a hamster, a military escort
lolll looool, LOLLL
In the Iron Age, It is Illinois
as seen on tv, so hot right now, he'll be back
i c e cream
🇸🇪 🇫🇮 flags in the wind
少女が夜空を見上げる
女の子が走る、女子高生の放課後
裸足の少女と海
白い猫とひまわり
マグロの寿司、エセックスの海
グローブをはめた少年
パチンコ屋のネオン
ファンタジーの城、ロリポップ、エロイカ
かえろうよ、おぼえろ、ぽろり
秋の山口県、千人の祭り
сосна и море
Καλημέρα κόσμε
밤하늘의 별
""".strip().splitlines()

EVASIONS = """
fuck
FUCK
f u c k
f.u.c.k
f_u-c k
fuuuuck
fuuck
ｆｕｃｋ
fцск
ꜰᴜᴄᴋ
ᶠᵘᶜᵏ
𝓯𝓾𝓬𝓴
motherfuuuucker
s e x
s  e  x
S/E/X
s.3.x
$ex
5ex
$ e x
sexxxx
se-x
ѕех
𝕤𝕖𝕩
ⓢⓔⓧ
🅂🄴🅇
🇸🇪🇽
丂乇乂
pоrn
p0rn
po rn
por n
p-o-r-n
pu$$y
pussssy
n1gg3r
n i g g e r
niggggger
nig-ger
fag\u00adgot
h e n t a i
a h e n t a i
h3nt4i
hèntâi
h3ntai!
h3nt4i!!!
$h3ntai$
*s3x*
s3x?
s3x+girl
p0rn!cat
p0rn#cat
porn1
porn2024
$ex+cat
ʜᴇɴᴛᴀɪ
b00bs and p0rn
loli
IoIi
sIut
a l o l i
セックス
セックスシーン
のセックス
セ・ッ・ク・ス
セ ッ ク ス
ｾｯｸｽ
せっくす
ロリ
オ ッ パ イ
""".strip().splitlines()

MINORS = """
nude child
child, nude
naked 14 year old
14yo girl in lingerie
fourteen-year-old, naked
14 y.o. and nude
a 9-year-old, undressed
age 15, topless
n@ked k1d
n u d e  k i d
s c h o o l g i r l in panties
schoolgirl in p\u200banties
t e e n, sexy
裸の幼女
下着の小学生
14歳 ヌード
""".strip().splitlines()

HELD = """
a naked tree spirit
a massacre in a village
a severed head on a plate
f**k
p*rn
セ○クス
hen tai
""".strip().splitlines()
