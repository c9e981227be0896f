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
FAMILY = listed("son daughter husband wife mother father children brother sister grandmother friend boss neighbour kids dog")
REVIEWED = listed(
    """
    film, comedy, thriller, war film, romantic film, animated film, documentary, sequel, horror film, action film, science fiction film,
    crime series, drama, low-budget film, family film, biopic, remake, musical, play, opera, concert, live album, new album, novel,
    crime novel, love story, biography, poetry book, children's book, cookbook, travel guide, textbook, audiobook, comic, magazine,
    podcast, lead actor, young actress, director's first film, film's ending, film's script, film's soundtrack,
    hotel, hostel, guest house, holiday flat, campsite, ski resort, cruise, city tour, museum, zoo, castle tour, boat trip, airline,
    airport lounge, night train, ferry, rental car, taxi service, bus company,
    restaurant, pizzeria, sushi bar, cafe, bakery, ice cream parlour, street food stall, steak house, vegetarian restaurant, hotel
    breakfast, food delivery, wine, coffee, chocolate, frozen pizza, cheese, olive oil, beer, tea, birthday cake,
    phone, laptop, tablet, headphones, loudspeaker, camera, printer, keyboard, computer mouse, monitor, television, smart watch, charger,
    router, battery, memory card, vacuum cleaner, washing machine, fridge, oven, coffee machine, toaster, blender, kettle, frying pan,
    knife set, iron, hair dryer, electric toothbrush, shaver, fan, heater, lamp, mattress, pillow, sofa, office chair, desk, bookshelf,
    wardrobe, curtain, carpet, tent, sleeping bag, backpack, suitcase, umbrella, raincoat, winter jacket, jeans, dress, running shoes,
    hiking boots, sandals, gloves, sunglasses, wallet, necklace, perfume, shampoo, face cream, sun cream, bicycle, helmet, scooter, car
    seat, pram, toy train, doll, board game, puzzle, video game, football, yoga mat, guitar, piano, pen, notebook, paint set, drill,
    hammer, lawn mower, garden hose, ladder, dog food, cat litter, bird house, fish tank,
    language app, map app, banking app, fitness app, weather app, photo app, online shop, website, streaming service, online course,
    driving school, swimming class, dance class, yoga class, piano lessons, cooking class, evening class, summer camp, kindergarten, gym,
    dentist, doctor's practice, hospital, physiotherapist, hairdresser, beauty salon, massage, plumber, electrician, painter, gardener,
    moving company, cleaning service, car repair shop, bike shop, bookshop, supermarket, shoe shop, pet shop, chemist, post office,
    bank, insurance, telephone company, internet provider, parcel service, travel agency, estate agent, lawyer, wedding photographer,
    caterer, band, magician, exhibition, theme park, water park, escape room, bowling alley, cinema, theatre, library, nightclub, hotel
    bar, spa, swimming pool, tennis club, golf course
    """,
    ",",
)
