"""How a training ends: what came out, in a file and on the terminal."""

import sys
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator

from models.training.card import rows
from models.training.export import write_json
from models.training.loop import Result


def tell(folder: Path, result: Result, accelerator: Accelerator) -> None:
    """FOLDER/result.json, and a table for the terminal."""
    device = torch.cuda.get_device_name() if accelerator.device.type == "cuda" else accelerator.device.type
    write_json(folder / "result.json", asdict(result) | {"device": device, "processes": accelerator.num_processes})
    sys.stdout.write(report(folder, result))


def report(folder: Path, result: Result) -> str:
    """The table."""
    speed = result.tokens / max(1e-9, result.seconds)
    head = f"{result.steps:,} steps, {result.tokens:,} tokens, {result.seconds / 60:.1f} minutes, {speed:,.0f} tokens a second"
    return "\n".join([head, *rows(result.metrics), f"written to {folder / 'model'}"]) + "\n"
