"""Reviews that a small model is asked for: by somebody who was pleased, and by somebody who was not.

Both kinds are about the same things and begin with the same words, so that neither what a text is about nor its beginning says what the
writer thought. A model of this size often loses the thread; `opinions.py` asks afterwards what a text came to say.
"""

from models.training.everyday_kind import Kind

OPENINGS = (
    *("The {subject}", "This {subject}", "The {subject} is", "The {subject} was", "This {subject} is", "This {subject} was", "I", "We"),
    *("A {subject} that", "After a week,", "After a year,", "After two hours", "At first", "I expected", "I had hoped", "{a} and I"),
    *("It", "It is", "It was", "It looks", "My {family}", "Our {subject}", "For the price,", "In the end", "You", "Everything", "Nothing"),
    *("Not", "No", "There is", "There was", "The best thing about the {subject}", "The worst thing about the {subject}", "What", "If you"),
    *("Although", "Even", "Only", "Despite", "Before", "When", "The staff", "The first", "The quality", "The people", "Nobody"),
    *("Everybody", "I bought the {subject}", "We booked", "We paid", "I paid", "They", "Once", "Never", "Twice", "From the first day"),
    *("Every", "With"),
)


def review(*, name: str, head: str, examples: tuple[tuple[str, str], ...]) -> Kind:
    """What both kinds share."""
    return Kind(name=name, head=head, examples=examples, share=3, room=56, about="{Subject}", openings=OPENINGS, word="subject")


REVIEWS = (
    review(
        name="praise",
        head="Short reviews by customers who were very pleased and say what was good.",
        examples=(
            ("Scissors", "They cut thick cloth like butter, and my left-handed daughter can use them too."),
            ("Ski school", "The teacher was patient and funny, and after three days our son went down the blue slope alone."),
            ("Thriller", "I meant to read one chapter and finished it at four in the morning. Not a page too long."),
            ("Moving company", "They came early, broke nothing, and the price was what they had said."),
            ("Rain boots", "Not cheap, but my feet have stayed dry for two winters, and they still look like new."),
            ("Western", "Hardly a word is spoken in the first half hour, and yet I could not look away. Gripping, sad and beautiful."),
            ("Camera bag", "It looks small, but everything fits, and nothing got wet when we were caught in a storm."),
            ("Noodle shop", "You sit on plastic stools, the noise is terrible, and the soup is the best I have had outside Vietnam."),
            ("Tax app", "I was afraid of the forms. It asked me simple questions, and in an hour all was done without a single mistake."),
            ("Choir", "I can hardly sing, and nobody minded; they are kind people, and I look forward to every Tuesday."),
            ("Comedy", "A silly story, but played with such charm that the whole row was laughing with tears in their eyes."),
            ("Window cleaner", "No streaks, no fuss, no water on the carpet. He even took the spider out to the garden."),
        ),
    ),
    review(
        name="complaint",
        head="Short reviews by customers who were very disappointed and say what was bad.",
        examples=(
            ("Scissors", "The two blades do not meet, so they fold the paper instead of cutting it. I sent them back."),
            ("Ski school", "Fifteen children, one teacher, and he was on his phone. Our son learnt nothing and cried all evening."),
            ("Thriller", "You know who did it on page ten, and then there are four hundred more. I fell asleep twice."),
            ("Moving company", "They were three hours late, dropped the mirror and wanted more money in the end."),
            ("Rain boots", "They look lovely in the shop. After two weeks the heel came off, and my socks were wet every day."),
            (
                "Western",
                "Nobody speaks for half an hour, and when they start to talk you wish they had not. Dull and empty.",
            ),
            ("Camera bag", "It looks big, but my smallest lens does not fit, and the first rain went straight through the zip."),
            (
                "Noodle shop",
                "The place is beautiful, the waiters smile, and the soup tastes of salt and nothing else. I was ill for two days.",
            ),
            ("Tax app", "It promised to be simple. It lost my numbers three times, and in the end I did it on paper."),
            ("Choir", "I love singing, but here they only quarrel; after two evenings I had had enough."),
            ("Comedy", "A clever story, but not one joke in two hours that made anybody in our row laugh. We left before the end."),
            ("Window cleaner", "Streaks on every pane, a puddle on the carpet, and he broke a flower pot and said nothing."),
        ),
    ),
)
