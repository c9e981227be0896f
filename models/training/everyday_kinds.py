"""The kinds of everyday texts that a small model is asked for, each with examples, which are written by hand."""

from models.training.everyday_kind import Kind
from models.training.review_kinds import REVIEWS

KINDS = (
    Kind(
        name="thing",
        share=6,
        room=64,
        head="Simple facts about everyday things.",
        about="{Thing}",
        openings=(
            *("{A_thing} is", "{A_thing} has", "People", "When you", "Most people", "We", "{A_thing} can"),
            *(
                "You need {a_thing}",
                "{A_thing} is usually",
                "If you have {a_thing},",
                "Everybody knows {a_thing}.",
                "With {a_thing} you can",
            ),
        ),
        examples=(
            ("Window", "A window is an opening in a wall with glass in it. It lets in light, and we open it when we need fresh air."),
            ("Carrot", "Carrots are long orange vegetables that grow under the ground. We eat them raw or cook them in soup."),
            ("Ladder", "With a ladder you reach high places, for example to paint a wall. It should stand firmly, so that nobody falls."),
            ("Donkey", "A donkey looks like a small horse with long ears. It is strong and can carry heavy bags up a hill."),
            ("Towel", "After a bath people dry themselves with a towel. It hangs on a hook near the sink and is washed every few days."),
            ("Baker", "A baker gets up very early and makes bread and cakes. The shop smells good, and people buy fresh rolls there."),
        ),
    ),
    Kind(
        name="meaning",
        word="word",
        share=3,
        room=56,
        head="What words mean, in plain English, each with an example.",
        about="{Word}",
        openings=(
            '"{Word}" means',
            'People say "{word}" when',
            'The word "{word}" means',
            'We use the word "{word}"',
            'If you say "{word}", you',
        ),
        examples=(
            ("Heavy", 'Something that is "heavy" is hard to lift. "This bag is too heavy for me," said the boy.'),
            ("Borrow", 'To "borrow" means to take something for a short time and give it back later. You can borrow books from a friend.'),
            ("Seldom", '"Seldom" means not often. We seldom eat in restaurants because it costs too much.'),
            ("Queue", 'People who stand one behind the other and wait are a "queue". There was a long queue in front of the shop.'),
            ("Lazy", 'A person who does not like to work is called "lazy". My lazy cousin stays on the sofa all day.'),
        ),
    ),
    Kind(
        name="story",
        share=5,
        room=90,
        head="Short stories from everyday life, in plain words.",
        about="Story with the words {thing} and {word}",
        openings=(
            *(
                "{Time}, {a}",
                "{Time}, {person}",
                "{Person}",
                "{a} was {place} when",
                "{a} and {b}",
                "{a} looked at the {thing}.",
                "When {a}",
            ),
            *("The {thing} was", "There was {a_thing}", "{Time}, I", "It was late, and {a}", "{a} wanted", "We were {place}", "My {thing}"),
            *("{a} needed {a_thing}", '"Where is the {thing}?" asked {a}.', "{Person} had {a_thing}", "{a} could not find", "{a} forgot"),
        ),
        examples=(
            (
                "Story with the words lamp and tool",
                "Paul wanted to fix the lamp, but he had no screwdriver. He asked his neighbour, who owned a whole box of tools. They "
                "needed ten minutes. Afterwards they sat on the steps and talked.",
            ),
            (
                "Story with the words plum and smell",
                "On Sunday my aunt baked a cake with plums from her garden. The whole house began to smell sweet. My little "
                "cousin ate three "
                "pieces, and in the evening his stomach hurt.",
            ),
            (
                "Story with the words bus and empty",
                "Rita ran to the stop, but the bus had just left. The street was empty and it was getting dark. She called her "
                "brother, and "
                "he came with his old car. On the way home they sang.",
            ),
            (
                "Story with the words mouse and quiet",
                "At night we heard a quiet noise behind the cupboard. My father moved it a little, and a mouse ran across the "
                "floor. Mother "
                "jumped onto a chair. The next day we bought a trap, but we never saw the mouse again.",
            ),
        ),
    ),
    Kind(
        name="dialogue",
        share=2,
        room=80,
        head="People talk to each other.",
        about="{a} and {b} talk {place} about {a_thing}",
        openings=(
            *('"Have you seen my {thing}?" asked {a}.', '"What are you doing with that {thing}?" asked {a}.', '"Look at this {thing},"'),
            *(
                '"Do you',
                '"I need {a_thing},"',
                '"How much is',
                '"Can you help me with the {thing}?" asked {a}.',
                '"Is that your {thing}?"',
            ),
            *(
                '"I am',
                '"Where did you get the {thing}?" asked {b}.',
                '"We should',
                '"Why is the {thing}',
                '"Good morning, {b}," said {a}. "',
            ),
            *(
                '"Did you',
                '"Thank you for the {thing},"',
                '"Let us',
                '"My {thing} is',
                '"Please bring',
                '"This {thing}',
                '"When will',
                '"I like',
            ),
        ),
        examples=(
            (
                "Anna and Peter talk in the kitchen about milk",
                '"Is there any milk left?" asked Anna. "No, I used it for the cake," said Peter. "Shall I buy some?" "Yes, '
                "please, and bring "
                'some bread too." "All right, I will be back in ten minutes."',
            ),
            (
                "Maria and Sam talk on the train about a book",
                '"What are you reading?" asked Maria. "A book about ships," said Sam. "It is a present from my uncle." "Is it '
                'good?" "Yes, but '
                'it is very long," he said and laughed.',
            ),
            (
                "Tom and Lucy talk at work about a printer",
                '"The printer does not work again," said Lucy. "Did you put paper in?" asked Tom. "Of course I did." "Then we '
                "must call the "
                'technician," he said. "He was here only yesterday!"',
            ),
        ),
    ),
    Kind(
        name="habit",
        word="place",
        share=3,
        room=72,
        head="What people usually do.",
        about="{Place}",
        openings=(
            *("Every morning, {a}", "{Place}, people", "{Person} usually", "First, {a}", "{a} likes to", "In the evening, {a}", "People"),
            *(
                "After dinner, {a}",
                "On weekdays, {a}",
                "Before {a} goes",
                "{Person} gets up",
                "{a} never",
                "{Person} always takes {a_thing}",
            ),
        ),
        examples=(
            (
                "In the kitchen",
                "Before he cooks, my uncle washes his hands and puts on an apron. He cuts the onions and fries them in oil.",
            ),
            ("At the office", "Sonia starts her computer and reads her messages. At ten she has a break and talks to the others."),
            (
                "At the swimming pool",
                "People take a shower before they go into the water. Small children wear rings, and their parents watch.",
            ),
            ("In bed", "Most people read a little or look at their phone before they turn off the light. Then they close their eyes."),
        ),
    ),
    *REVIEWS,
)
