"""The storyboard: what the words of a prompt ask to see. New words go into WORDS, one line each."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

import numpy as np

# facet, value, words. Words in Latin letters match whole (a final "s", "ing" or "y" more is fine), others anywhere.
WORDS: tuple[tuple[str, str, str], ...] = (
    (
        "subject",
        "girl",
        "girl woman lady heroine princess idol queen she her maid nurse mermaid vtuber 女の子 少女 彼女 姫 소녀",
    ),
    ("subject", "boy", "boy man guy hero prince he king student detective wizard 少年 男の子 青年 소년"),
    ("subject", "samurai", "samurai ronin ninja swordsman shogun 侍 武士 忍者 사무라이"),
    ("subject", "knight", "knight paladin warrior soldier viking gladiator 騎士 戦士 기사"),
    ("subject", "witch", "witch sorceress mage magician 魔女 魔法使い 마녀"),
    ("subject", "cat", "cat kitten kitty neko tiger lion ねこ 猫 ネコ 고양이"),
    ("subject", "dog", "dog puppy shiba corgi bear inu いぬ 犬 くま 강아지"),
    ("subject", "fox", "fox kitsune wolf きつね 狐 オオカミ 여우"),
    ("subject", "rabbit", "rabbit bunny hare うさぎ 兎 토끼"),
    ("subject", "dragon", "dragon wyrm serpent 龍 竜 ドラゴン 용"),
    ("subject", "robot", "robot mecha mech android gundam cyborg ロボ メカ 로봇"),
    ("subject", "ghost", "ghost spirit yokai phantom slime おばけ 幽霊 お化け 유령"),
    ("subject", "train", "train railway tram locomotive 電車 列車 汽車 기차"),
    ("subject", "ship", "ship boat sail pirate sailboat 船 海賊 배"),
    ("subject", "vending", "vending 自販機 自動販売機"),
    ("trait", "sword", "sword katana blade saber swords 剣 刀"),
    ("trait", "umbrella", "umbrella parasol 傘"),
    ("trait", "scarf", "scarf muffler マフラー"),
    ("trait", "cape", "cape cloak マント"),
    ("trait", "long hair", "hair longhair ponytail 髪"),
    ("trait", "hat", "hat 帽子"),
    ("trait", "ears", "cat_girl catgirl cat_boy catboy fox_girl foxgirl nekomimi 猫耳 狐耳"),
    ("trait", "robot", "robot mecha cyber android robotic ロボ"),
    ("trait", "lantern", "lantern paper 提灯 ランタン"),
    ("trait", "barista", "barista coffee latte café cafe espresso tea chef waiter コーヒー カフェ 珈琲"),
    ("trait", "guitar", "guitar music band song rock concert singer ギター 音楽"),
    ("trait", "pair", "two 2 twin couple both friends lovers duo 二人 ふたり 二匹 2人"),
    ("trait", "magic", "magic spell wand sparkle glowing magical 魔法"),
    (
        "setting",
        "city",
        "city neon street alley tokyo downtown cyberpunk vending shibuya town skyscraper 街 都市 東京 도시",
    ),
    ("setting", "rooftop", "rooftop roof balcony 屋上"),
    ("setting", "school", "school classroom campus 学校 教室"),
    ("setting", "forest", "forest tree wood jungle bamboo mushroom 森 林 木 숲"),
    ("setting", "mountain", "mountain hill peak cliff fuji volcano 山 富士"),
    ("setting", "sunflowers", "sunflower ひまわり 向日葵"),
    ("setting", "field", "field meadow flower garden grass farm prairie 花 畑 草原"),
    ("setting", "castle", "castle palace tower kingdom fortress 城"),
    ("setting", "sea", "sea ocean beach harbor harbour lake river island underwater wave 海 浜 湖 川 바다"),
    ("setting", "space", "space planet galaxy astronaut asteroid cosmos cosmic nebula orbit 宇宙 惑星 우주"),
    ("setting", "shrine", "shrine temple torii kyoto dojo 神社 寺 鳥居"),
    ("setting", "room", "café cafe room cozy kitchen shop bar library house bakery barista 部屋 喫茶 カフェ"),
    ("weather", "rain", "rain storm thunder drizzle typhoon 雨 嵐 비"),
    ("weather", "snow", "snow winter ice blizzard frost 雪 冬 눈"),
    ("weather", "petals", "petal sakura cherry blossom spring 桜 花びら 春 벚꽃"),
    ("weather", "leaves", "leaf leaves autumn fall wind windy breeze 葉 秋 風"),
    ("weather", "embers", "fire flame ember burning lava explosion inferno 火 炎 불"),
    ("weather", "fireflies", "firefly fireflies lantern glow 蛍 提灯"),
    ("weather", "fog", "fog mist haze smoke steam foggy 霧 煙"),
    ("hour", "night", "night midnight neon moon star stars dark 夜 月 星 ネオン 밤"),
    ("hour", "sunset", "sunset dusk evening twilight golden 夕方 夕焼け 夕日 黄昏 노을"),
    ("hour", "morning", "morning dawn sunrise 朝 夜明け 아침"),
    ("hour", "day", "day noon summer sunny blue 昼 夏 낮"),
    ("action", "fight", "fight battle duel versus vs war attack punch slash 戦う 戦 バトル"),
    ("action", "run", "run chase race dash speed drift 走る 走 疾走"),
    ("action", "fly", "fly flies flight float soar jump wing 飛ぶ 飛 空"),
)

PEOPLE = ("girl", "boy", "samurai", "knight", "witch")
ADJACENT = 8
"""Within so many characters "robot" belongs to the next subject."""
HOME = {
    "dragon": "mountain",
    "robot": "city",
    "samurai": "shrine",
    "knight": "castle",
    "ship": "sea",
    "vending": "city",
    "train": "field",
    "ghost": "room",
}
WANDERING = ("hill", "hill", "rooftop", "field", "sea", "school", "forest", "mountain", "city")


@dataclass(frozen=True)
class Storyboard:
    """One shot in words. Unknown words have chosen whatever the known ones left open."""

    style: str
    subjects: tuple[str, ...]
    traits: frozenset[str]
    setting: str
    weather: str
    hour: str
    action: str
    seed: int

    def dice(self, purpose: str) -> np.random.Generator:
        """Return a generator that always throws the same for this storyboard and purpose."""
        return np.random.default_rng([self.seed, *purpose.encode()])


def read(prompt: str, style: str, seed: int) -> Storyboard:
    """Turn a request's words into a storyboard. Any text will do."""
    number = int.from_bytes(hashlib.sha256(f"{prompt}\0{style}\0{seed}".encode("utf-8", "replace")).digest()[:8], "big")
    dice = np.random.default_rng(number)
    heard = _hear(prompt)
    traits = {value for facet, value in heard if facet == "trait"}
    subjects = [value for facet, value in heard if facet == "subject"]
    if "ears" in traits:
        subjects = [kind for kind in subjects if kind not in ("cat", "fox")] or ["girl"]
    subjects = subjects or [str(dice.choice(PEOPLE[:2]))]
    if "pair" in traits and len(subjects) == 1:
        subjects = subjects * 2
    settings = [value for facet, value in heard if facet == "setting"]
    home = (
        str(dice.choice(("city", "city", "rooftop")))
        if style == "neon"
        else HOME.get(subjects[0], str(dice.choice(WANDERING)))
    )
    setting = "sunflowers" if "sunflowers" in settings else settings[0] if settings else home
    hours = sorted((value for facet, value in heard if facet == "hour"), key="sunset night morning day".index)
    if "lantern" in traits and not hours:
        hours = ["night"]
    weathers = [value for facet, value in heard if facet == "weather"]
    if style == "neon" or setting == "space":
        hour = "night"
    else:
        hour = hours[0] if hours else str(dice.choice(("day", "day", "sunset", "morning")))
    if not weathers:
        weathers = ["rain" if style == "neon" else str(dice.choice(("petals", "leaves", "dust", "dust", "fireflies")))]
    actions = [value for facet, value in heard if facet == "action"]
    return Storyboard(
        style=style,
        subjects=tuple(subjects[:2]),
        traits=frozenset(traits),
        setting=setting,
        weather=weathers[0],
        hour=hour,
        action=actions[0] if actions else "still",
        seed=number,
    )


def _hear(prompt: str) -> list[tuple[str, str]]:
    """Return (facet, value) pairs in the order in which the prompt names them, each once."""
    text = _plain(prompt)
    found: list[tuple[int, str, str]] = []
    for facet, value, words in WORDS:
        places = [place for word in words.split() if (place := _find(_plain(word.replace("_", " ")), text)) is not None]
        if places:
            found.append((min(places), facet, value))
    robots = [at for at, facet, value in found if (facet, value) == ("subject", "robot")]
    after = [at for at, facet, value in found if facet == "subject" and robots and 0 < at - robots[0] <= ADJACENT]
    if after:  # a robot cat is one animal
        found.remove((robots[0], "subject", "robot"))
    return [(facet, value) for _, facet, value in sorted(found, key=lambda f: f[0])]


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize(
        "NFC", "".join(c for c in decomposed if unicodedata.category(c) != "Mn" or c > "\u3000")
    )


def _find(word: str, text: str) -> int | None:
    if word.isascii():
        match = re.search(rf"(?<![a-z0-9]){re.escape(word)}(?:{word[-1]}?ing|s|es|y|ed)?(?![a-z0-9])", text)
        return match.start() if match else None
    place = text.find(word)
    return place if place >= 0 else None
