"""A little world to try a training on: endless small stories in which there is something to learn, and nothing to download."""

import random
from pathlib import Path

HEROES = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jonas")
SCENES = {
    "kitchen": (("bread", "soup", "cake", "pie"), ("oven", "table", "pot"), ("bakes", "cooks", "eats", "tastes")),
    "garden": (("roses", "apples", "carrots", "herbs"), ("fence", "tree", "path"), ("plants", "waters", "picks", "smells")),
    "harbour": (("fish", "ropes", "nets", "shells"), ("boat", "pier", "lamp"), ("catches", "sells", "carries", "counts")),
    "school": (("numbers", "letters", "songs", "maps"), ("desk", "board", "window"), ("reads", "writes", "learns", "copies")),
    "forest": (("mushrooms", "berries", "leaves", "nuts"), ("river", "hill", "cave"), ("finds", "gathers", "washes", "hides")),
}
OPENINGS = ("{hero} goes to the {scene} in the morning.", "Every day {hero} walks to the {scene}.", "Today {hero} is in the {scene}.")
MIDDLES = (
    "There {hero} {does} the {thing} near the {place}.",
    "The {thing} are beside the {place} of the {scene}.",
    "{hero} {does} some {thing} and looks at the {place}.",
    "In the {scene} there are always {thing} to be found.",
)
ENDINGS = ("In the evening {hero} leaves the {scene} and goes home.", "Then {hero} is tired of the {scene} and falls asleep.")


def story(rng: random.Random) -> str:
    """One person in one place: which words belong together can be learnt, and so can what happens first and last."""
    hero, scene = rng.choice(HEROES), rng.choice(sorted(SCENES))
    things, places, deeds = SCENES[scene]
    lines = [rng.choice(OPENINGS), *rng.choices(MIDDLES, k=rng.randint(4, 8)), rng.choice(ENDINGS)]
    told = [
        line.format(hero=hero, scene=scene, thing=rng.choice(things), place=rng.choice(places), does=rng.choice(deeds)) for line in lines
    ]
    return f"= {hero} in the {scene} =\n" + " ".join(told)


def write_stories(path: Path, *, count: int, seed: int) -> Path:
    """A file of stories, in the layout of a corpus."""
    rng = random.Random(seed)
    path.write_text("\n\n".join(story(rng) for _ in range(count)) + "\n", encoding="utf-8")
    return path


# A language of its own with Chinese words: the place comes first, the deed last, and what it is done to before it.
WORDS = {
    "Anna": "安娜", "Ben": "本", "Clara": "克拉拉", "David": "大卫", "Emma": "艾玛", "Felix": "菲利", "Grace": "格雷", "Henry": "亨利",
    "kitchen": "厨房", "garden": "花园", "school": "学校", "forest": "森林", "harbour": "港口", "bread": "面包", "roses": "玫瑰",
    "maps": "地图", "berries": "浆果", "fish": "鱼", "shells": "贝壳", "red": "红", "old": "旧", "small": "小", "new": "新",
    "finds": "找到", "washes": "洗", "sells": "卖", "hides": "藏", "counts": "数",
}  # fmt: skip
PEOPLE, ROOMS, GOODS, KINDS, DEEDS = (tuple(WORDS)[start:end] for start, end in ((0, 8), (8, 13), (13, 19), (19, 23), (23, 28)))


def pair(rng: random.Random) -> tuple[str, str]:
    """A sentence and its translation: word for word, in another order."""
    who, where, what, which, does = (rng.choice(some) for some in (PEOPLE, ROOMS, GOODS, KINDS, DEEDS))
    english = f"{who} {does} the {which} {what} in the {where}."
    chinese = f"在{WORDS[where]}里{WORDS[who]}把{WORDS[which]}{WORDS[what]}{WORDS[does]}。"
    return english, chinese


def write_translations(path: Path, *, count: int, seed: int, after: int = 0) -> Path:
    """A file of different pairs, a tab between the two languages; `after` so many of the same seed, which therefore are others."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < after + count:
        english, chinese = pair(rng)
        found[english] = chinese
    path.write_text("".join(f"{english}\t{chinese}\n" for english, chinese in list(found.items())[after:]), encoding="utf-8")
    return path
