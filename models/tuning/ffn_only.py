"""Only the feed-forward layers move, all or some: where a Transformer keeps most of what it knows (Geva et al. 2021)."""

from dataclasses import dataclass

from models.model import Model
from models.tuning import Method, Prepared
from models.tuning.layers import chosen, inside
from models.tuning.task import Task
from models.tuning.tuned import Tuned
from models.tuning.twin import moving, twin


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`layers` are numbers from 0, or from -1 for the last; () is all. Below the lowest of them no gradient is computed."""

    layers: tuple[int, ...] = ()


def prepare(model: Model, settings: Settings, task: Task, seed: int) -> Prepared:
    layers = chosen(model.config, settings.layers)
    names = [name for name, _ in model.network.named_parameters() if inside(name, layers) and ".feedforward." in name]
    network = Tuned(twin(model.network, train=names))
    return Prepared(network=network, trainable=moving(network), settings=settings)


METHOD = Method(name="ffn_only", settings=Settings, rate=3e-4, prepare=prepare, order=5, moves=("feedforward",))
