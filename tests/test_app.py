import json
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import gradio as gr
import pytest
import torch

import app

ROOT = Path(app.__file__).parent


@pytest.fixture
def port():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def pages(monkeypatch):
    """What `build_page` was called with; the page itself is empty."""

    def build(playground, **options):
        calls.append((playground, options))
        with gr.Blocks() as page:
            return page

    calls = []
    monkeypatch.setattr(app, "build_page", build)
    return calls


@pytest.fixture
def launched(monkeypatch, pages):
    """What `launch` was called with, instead of launching."""
    calls = []
    monkeypatch.setattr(gr.Blocks, "launch", lambda blocks, **settings: calls.append(settings))
    return calls


def get(url, data=None):
    request = urllib.request.Request(url, data=data and json.dumps(data).encode(), headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def test_the_command_of_the_readme_serves_the_page_until_it_is_interrupted(tiny_models, port):
    command = [sys.executable, "app.py", "--offline", "--port", str(port), "--model", f"mine={tiny_models['tiny-bert']}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            said = next(line for line in server.stdout if "Running on" in line)
            assert f"http://127.0.0.1:{port}" in said
            address = f"http://127.0.0.1:{port}"
            assert b"Transformer Playground" in get(address)
            [models] = json.loads(get(f"{address}/gradio_api/run/models", {"data": []}))["data"]
            assert models[0]["name"] == "mine" and models[0]["ready"] and "fill_mask" in models[0]["tasks"]
            asked = {"data": ["mine", "She drank a cup of [MASK].", 3, []]}
            [answer] = json.loads(get(f"{address}/gradio_api/run/fill_mask", asked))["data"]
            assert len(answer["masks"][0]["candidates"]) == 3
            server.send_signal(signal.SIGINT)
            rest = server.stdout.read()
        finally:
            server.kill()
    assert server.returncode == 0, rest
    assert "Traceback" not in rest


def test_importing_the_app_starts_nothing():
    code = "import threading, app; print(threading.active_count())"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert found.stdout.strip() == "1"


def test_without_flags_the_page_is_for_this_machine_and_the_device_is_found_out(launched, pages):
    app.main([])
    [(playground, options)] = pages
    assert playground.device.wish == "auto" and not playground.offline and options == {"allow_hub": False}
    [settings] = launched
    assert [settings[name] for name in ("server_name", "server_port", "share")] == [None, None, False]


def test_the_flags_reach_the_server(launched, pages, tiny_models):
    flags = ["--host", "0.0.0.0", "--port", "7999", "--device", "cpu", "--dtype", "float32", "--share", "--offline", "--allow-hub"]
    app.main([*flags, "--model", f"first={tiny_models['tiny-gpt2']}", "--model", "gpt2"])
    [settings] = launched
    assert [settings[name] for name in ("server_name", "server_port", "share")] == ["0.0.0.0", 7999, True]
    [(playground, options)] = pages
    assert options == {"allow_hub": True} and playground.catalogue.allow_hub and playground.offline
    assert [card.name for card in playground.catalogue.entries()][:2] == ["first", "gpt2"]


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--device", "cuda"], "no device cuda"),
        (["--dtype", "bfloat16", "--device", "cpu"], "bfloat16"),
        (["--model", "mine=/nowhere/at/all"], "/nowhere/at/all"),
        (["--model", "../nothing"], "nothing"),
    ],
)
def test_a_flag_that_cannot_be_obeyed_ends_in_one_sentence(launched, monkeypatch, flags, words):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as caught:
        app.main(flags)
    assert words in caught.value.code and "\n" not in caught.value.code
    assert launched == []


def test_a_port_that_is_taken_ends_in_one_sentence(port, pages):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(SystemExit) as caught:
            app.main(["--port", str(port), "--host", "127.0.0.1"])
    assert str(port) in caught.value.code


@pytest.mark.parametrize("flags", [["--device", "tpu"], ["--port", "many"], ["--dtype", "int3"], ["--unheard-of"]])
def test_flags_that_do_not_exist_are_refused_with_the_usage(flags, capsys):
    with pytest.raises(SystemExit) as caught:
        app.main(flags)
    assert caught.value.code == 2 and "usage:" in capsys.readouterr().err
