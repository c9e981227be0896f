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
