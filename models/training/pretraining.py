"""What BERT is trained for: hidden words and next sentences, both at once (Devlin et al. 2019, section 3.1)."""

from torch import Tensor, nn
from torch.nn import functional as F

from models.training.pair_batches import PairBatch
from models.transformer import Transformer


class Pretraining(nn.Module):
    """A network with its two questions. Returns the summed cross-entropy, in nats, of each kind: "words" and "pairs"."""

    def __init__(self, network: Transformer):
        super().__init__()
        self.network = network

    def forward(self, batch: PairBatch) -> dict[str, Tensor]:
        words, pairs = self.scores(batch)
        return {
            "words": F.cross_entropy(words.float(), batch.words, reduction="sum"),
            "pairs": F.cross_entropy(pairs.float(), batch.follows, reduction="sum"),
        }

    def scores(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Scores of every word at the hidden places (N, V), and of the second text following (B, 2)."""
        hidden = self.network.encode(batch.tokens)
        # The product with the vocabulary costs as much as all layers together, so only the words that are asked for go through it.
        asked = hidden.flatten(0, 1).index_select(0, batch.places)
        return self.network.heads["mlm"](asked), self.network.heads["nsp"](hidden)
