"""Learning rates that suit, where nobody names one: a table of methods and kinds of bases.

A rate suits a kind of numbers: vectors that stand for words may jump, the matrices of a trained model may hardly move. Where a paper gives
one for AdamW on models of this size, it is the starting point; `tests/benchmarks/tuning_rates.py` tries its neighbours on a shipped set.
"""

from typing import Literal, NamedTuple

from models.tuning import Method

Kind = Literal["encoder", "decoder", "encoder_decoder"]


class Rate(NamedTuple):
    """A learning rate and where it comes from."""

    value: float
    source: str


PROMPT = "Lester et al. 2021: 0.3 with Adafactor; with AdamW a tenth of it"
PREFIX = "published settings of P-tuning v2 (Liu et al. 2022): 5e-3 to 1e-2"
WRITING = "Li & Liang 2021: 5e-5 through an MLP; without one as for encoders, halved since all words are learnt and not one"
LORA = "Hu et al. 2021, appendix D: 2e-4 to 5e-4 for 100 to 800 million numbers; small models and short runs take more"
PARTS = "full tuning's, two to three times: fewer numbers move"
FULL = "Devlin et al. 2019, appendix A.3: at most 5e-5 for 110 million numbers; smaller models take twice as much"

RATES: dict[str, dict[Kind, Rate]] = {
    "prompt": {"encoder": Rate(3e-2, PROMPT), "decoder": Rate(3e-2, PROMPT)},
    "prefix": {"encoder": Rate(1e-2, PREFIX), "decoder": Rate(5e-3, WRITING), "encoder_decoder": Rate(5e-3, WRITING)},
    "lora": {"encoder": Rate(2e-3, LORA), "decoder": Rate(1e-3, LORA), "encoder_decoder": Rate(1e-3, LORA)},
    "ffn_only": {"encoder": Rate(3e-4, PARTS), "decoder": Rate(1e-4, PARTS), "encoder_decoder": Rate(3e-4, PARTS)},
    "full": {"encoder": Rate(1e-4, FULL), "decoder": Rate(5e-5, FULL), "encoder_decoder": Rate(1e-4, FULL)},
}


def rate_for(method: Method, kind: Kind) -> float:
    """The rate of the table, or the method's own where the table does not know it."""
    found = RATES.get(method.name, {}).get(kind)
    return method.rate if found is None else found.value
