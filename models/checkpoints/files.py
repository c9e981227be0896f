"""Opening weights: which reader a file needs is seen from the file, not guessed from a model's name."""

from pathlib import Path

from models.checkpoints.ctranslate2_files import CTranslate2File
from models.checkpoints.gguf_files import GGUFFile
from models.checkpoints.marian_files import MarianFile
from models.checkpoints.safetensors_files import SafetensorsFile
from models.checkpoints.sharded import Sharded
from models.checkpoints.torch_files import open_torch
from models.checkpoints.weights import Weights, broken
from models.errors import Problem

# In order of preference: of a model stored twice, the kind that is safer and quicker to read.
WANTED = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "model.bin")
ALONE = ("*.safetensors", "*.gguf", "model.*.bin")
ZIP, PICKLE = b"PK\x03\x04", b"\x80"
MARIAN = (1).to_bytes(8, "little")


def find_weights(folder: Path) -> Path:
    """The weight file of a folder (or the file itself), without opening it."""
    if folder.is_file():
        return folder
    for name in WANTED:
        if (folder / name).is_file():
            return folder / name
    for pattern in ALONE:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if len(found) > 1:
            raise Problem("many_weights", folder=folder.name, files=", ".join(path.name for path in found[:3]))
        if found:
            return found[0]
    raise Problem("no_weights", folder=folder.name, known=", ".join(WANTED + ALONE))


def open_weights(path: Path) -> Weights:
    """The reader for a file, an index of several files, or a folder that holds one of them."""
    path = find_weights(path)
    if path.name.endswith(".index.json"):
        return Sharded(path, open_weights)
    with path.open("rb") as stream:
        start = stream.read(64)
    if path.suffix == ".safetensors":
        return SafetensorsFile(path)
    if path.suffix == ".gguf" or start.startswith(b"GGUF"):
        return GGUFFile(path)
    if start.startswith((ZIP, PICKLE)):
        return open_torch(path)
    if start.startswith(MARIAN):
        return MarianFile(path)
    if b"Spec\0" in start:
        return CTranslate2File(path)
    raise broken(path.name, "not a weight file of a kind that is known here")
