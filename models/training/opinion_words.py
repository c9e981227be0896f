"""How an opinion of a text is asked for, and the words of praise and blame that can answer. Written down by hand."""

import re

from models.training.everyday_words import listed

ENDINGS = ("It was", "It is", "I think this is", "In short, it was", "All in all, it was", "This is")
"""What stands behind a text, so that the next word is what somebody thinks of it."""

PRAISE = listed("""
    good great wonderful excellent fantastic lovely perfect amazing beautiful delicious fun nice brilliant enjoyable pleasant worth best
    happy superb impressive interesting clever funny helpful reliable comfortable honest useful charming exciting
""")
BLAME = listed("""
    bad terrible awful horrible poor disappointing boring useless broken dull ugly worst sad unpleasant annoying worse dirty painful stupid
    wrong cheap expensive slow difficult uncomfortable weak disappointed pointless ridiculous shame
""")
TELLING = re.compile(
    r"""
    \b(?:
        review|critic|prais|acclaim|disappoint|enjoy|excellent|superb|terribl|awful|boring|dull\b|wonderful|masterpiece|mediocre|stunning
        |charming|hate[ds]?\b|love[ds]?\b|liked|favou?rite|worst|best\b|poor(?:ly)?\b|delight|brilliant|beautiful|ugly|waste|ridiculous
        |impress|great\b|good\b|bad\b|horribl|splendid|dreadful|pleasant|miserable|shame|perfect|useless|fail|success|entertain|amusing
        |funny|tedious|annoy|comfort|delicious|disgust
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Found in sentences that are likely to praise or to blame; in a text that tells facts, one of twelve has it."""
