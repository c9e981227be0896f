"""Who and what everyday texts are about. Things are written down by hand: a count of words cannot tell a spoon from a reason."""


def listed(text: str, mark: str | None = None) -> tuple[str, ...]:
    """The entries of a text between white space, or between marks."""
    return tuple(" ".join(part.split()) for part in text.split(mark))


NAMES = listed("""
    Anna Ben Carla David Ella Frank Grace Hassan Irene Jack Kim Laura Mark Nina Oscar Paula Ravi Sarah Tom Uma Victor Wendy Amir Yuki
    Zoe Alice Bruno Chloe Daniel Eva Felix Hanna Ivan Julia Karl Lily Maria Noah Olga Peter Rosa Sam Tina Mei Will Leo Nora Omar Ruth
    Max
""")
PEOPLE = listed(
    """
    my mother, my father, my sister, my brother, my grandmother, my grandfather, my neighbour, a friend of mine, our teacher, the
    woman next door, an old man, a young woman, the bus driver, a little girl, a boy from our street, my aunt, our doctor, a shop
    assistant, the cook, a farmer, my uncle, a student, the postman, a nurse
    """,
    ",",
)
PLACES = listed(
    """
    at home, in the kitchen, in the garden, at school, at the market, on the bus, at work, in the park, in a small shop, at the
    station, on a farm, in the library, at the beach, in a restaurant, in the street, at a friend's house, in the office, on the
    train, in the bathroom, in the living room, at the doctor's, in the forest, by the river, in town, in the car, at the post office,
    at the bank, in the yard
    """,
    ",",
)
TIMES = listed(
    """
    yesterday, last week, on Monday, on Saturday, on Sunday afternoon, this morning, one evening, last summer, last winter, one day in
    spring, after lunch, before breakfast, one night, on a rainy day, on a hot day, after work, after school, late at night, during
    the holidays, at the weekend, early in the morning, on a cold day, two days ago, a month ago
    """,
    ",",
)
KITCHEN = listed("""
    apple banana basket bottle bowl box cake carrot cheese chicken cookie cup dish egg fork freezer fridge glass jar kettle knife
    lemon lid meal melon mug mushroom onion orange oven pan pear pie pizza plate potato pot pumpkin salad sandwich sausage soup spoon
    stove strawberry tomato tray
""")
HOUSE = listed("""
    alarm apartment armchair balcony basement bath bathtub bed bell blanket brick broom brush bucket candle carpet ceiling chair
    chimney clock corner cupboard curtain desk door drawer fan fence fireplace floor garage garden gate hammer hook hose house iron
    key ladder lamp lawn light lock mat mattress mirror nail needle pillow pipe plant radio rake roof room rope rug saw screw shelf
    shovel shower sink soap sofa sponge stair swing switch table tap telephone television toilet toothbrush towel toy vase wall window
""")
CARRIED = listed("""
    backpack bag belt blouse boot button camera coat coin comb dress glove handbag hat jacket letter necklace parcel pen pencil phone
    pocket purse raincoat ring scarf shirt shoe skirt sock suitcase sweater ticket tie umbrella uniform wallet watch zip
""")
NATURE = listed("""
    ant bear bee bird bush butterfly cat chick cow dog donkey duck eagle elephant fish flower fly fox frog goat goose hen horse insect
    kitten lamb leaf lion monkey mosquito mouse nest owl oak parrot pig pigeon puppy rabbit rat rose seed sheep snail snake spider
    squirrel tiger tree turtle whale wolf worm
""")
PERSONS = listed("""
    artist aunt baby baker barber boss butcher captain carpenter child cleaner clerk clown cook cousin dancer dentist doctor driver
    engineer farmer firefighter fisherman friend gardener grandmother guest hairdresser judge king lawyer mechanic musician neighbour
    nurse painter passenger pilot plumber policeman queen sailor scientist secretary singer soldier student tailor teacher thief
    tourist twin uncle vet waiter worker
""")
OUTSIDE = listed("""
    airport bakery bank beach bench bicycle boat bridge building bus cafe car castle church cinema city cloud crossing factory farm
    ferry field forest fountain hill hole hospital hotel island kitchen lake library lorry map market mountain museum office park path
    plane playground pond puddle restaurant river road school shop sign snowman square stable star station stone storm street
    supermarket pool taxi tent theatre tower town train tram truck tunnel valley village wheel zoo
""")
PLAY = listed("""
    bandage ball balloon bill birthday book calendar card computer game concert dictionary doll drum envelope exam film flag gift
    guitar holiday joke keyboard kite lesson magazine match medicine newspaper notebook page paintbrush party photograph piano picture
    pill poem postcard present printer prize puzzle question race ruler song stamp story violin wedding whistle
""")
THINGS = (*KITCHEN, *HOUSE, *CARRIED, *NATURE, *PERSONS, *OUTSIDE, *PLAY)
