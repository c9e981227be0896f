"""What BERT is trained for: hidden words and next sentences at once (Devlin et al. 2019, section 3.1); and opinions, if there are any."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.training.opinion_batches import OpinionBatch
from models.training.pair_batches import PairBatch
from models.transformer import Transformer

TEMPERATURE = 2.0  # of opinions: above 1, what the larger model holds for unlikely counts too (Hinton et al. 2015, section 2)


class Pretraining(nn.Module):
    """A network with its questions. Returns the summed loss, in nats, of each kind: "words", "pairs" and, where asked for, "opinions"."""

    def __init__(self, network: Transformer):
        super().__init__()
        self.network = network

    def forward(self, batch: PairBatch) -> dict[str, Tensor]:
        words, pairs = self.scores(batch)
        losses = {
            "words": F.cross_entropy(words.float(), batch.words, reduction="sum"),
            "pairs": F.cross_entropy(pairs.float(), batch.follows, reduction="sum"),
        }
        return losses | {"opinions": self.differences(batch.opinions)} if batch.opinions else losses

    def scores(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Scores of every word at the hidden places (N, V), and of the second text following (B, 2)."""
        hidden = self.network.encode(batch.tokens)
        # The product with the vocabulary costs as much as all layers together, so only the words that are asked for go through it.
        asked = hidden.flatten(0, 1).index_select(0, batch.places)
        return self.network.heads["mlm"](asked), self.network.heads["nsp"](hidden)

    def differences(self, batch: OpinionBatch) -> Tensor:
        """How far the guesses at [MASK] are from the larger model's, among the words of praise and blame alone (Kullback-Leibler)."""
        hidden = self.network.encode(batch.tokens, only=batch.places)[:, 0]
        guesses = self.network.heads["mlm"](hidden, rows=batch.words).float() / TEMPERATURE
        wanted = (batch.scores / TEMPERATURE).softmax(-1)
        # Times the temperature squared, so that the gradient keeps its size whatever the temperature.
        return F.kl_div(guesses.log_softmax(-1), wanted, reduction="sum") * TEMPERATURE**2
