"""Words that end in a full stop without ending a sentence, in the languages that the catalogue translates from and their neighbours."""


def words(text: str) -> frozenset[str]:
    """The words of a list that is easier to read and to add to when it is not a list."""
    return frozenset(text.split())


# Always followed by more of the same sentence: titles, and words such as "e.g.".
NEVER_LAST = words("""
    mr mrs ms mx dr prof rev gen col capt lt sgt cpl mt messrs gov sen rep supt
    e.g i.e eg ie vs viz cf ca approx resp incl esp al
    sr sra srta srs dra profa exmo exma av eng ex p.ex
    herr fr hr z.b d.h u.a bzw sog ggf evtl vgl bspw
    mme mlle mm
    """)
# Followed by a number in the same sentence: "No. 5", "Fig. 3", "p. 12", "Jan. 4".
BEFORE_NUMBERS = words("""
    no nos nr num núm n.º art arts fig figs eq eqs sec ch chap vol vols pp p pg ed op cap pág págs bd abb tab str
    jan feb mar apr jun jul aug sep sept oct nov dec
    """)
# Often in the middle of a sentence, sometimes at its end: the next word decides.
EITHER = words("etc inc ltd corp co jr st ave rd blvd ph.d usw ltda cia dept univ est assn bros")
# With these words a sentence begins; names, which follow "U.S." and "J." as well, are not among them.
STARTERS = words("""
    the a an this that these those he she it we they i you his her its our their my your there here
    in on at for from with by after before when while if as but and so then now yet however although because since
    what who where why how is are was were do does did can could will would should may
    o os as um uma ele ela eles elas nós eu este esta isso no na em mas quando se
    der die das ein eine er sie es wir ich aber und wenn dann
    le la les un une il elle ils elles nous je mais et quand
    """)
