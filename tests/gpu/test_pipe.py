import json
import os
import subprocess
import sys

from tests.gpu.conftest import ROOT


def python(code: str) -> subprocess.Popen:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)


def test_nothing_else_gets_between_the_lines():
    code = (
        "import os, sys; from gpu.pipe import Lines; lines = Lines()\n"
        "print('noise'); os.write(1, b'noise'); os.system('echo noise')\n"
        "lines.send(text='two\\nlines, 雨')"
    )
    said, noise = python(code).communicate(timeout=10)
    assert said.count(b"\n") == 1
    assert json.loads(said) == {"text": "two\nlines, 雨"}
    assert noise.count(b"noise") == 3


def test_lines_of_two_threads_do_not_mix():
    code = (
        "import threading; from gpu.pipe import Lines; lines = Lines()\n"
        "def talk(): [lines.send(text='x' * 100_000) for _ in range(20)]\n"
        "threads = [threading.Thread(target=talk) for _ in range(2)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]"
    )
    said, _ = python(code).communicate(timeout=10)
    assert [len(json.loads(line)["text"]) for line in said.splitlines()] == [100_000] * 40


def test_lines_are_heard_whole_however_they_arrive():
    code = (
        "import sys, time; from gpu.pipe import hear, lines\n"
        "hear(lines(), lambda line: (sys.stdout.write(f'{len(line)} '), sys.stdout.flush()))\n"
        "time.sleep(30)"
    )
    child = python(code)
    for part in (b"ab", b"c\nde", b"\n\n", b"x" * 200_000 + b"\n", b"no end"):
        os.write(child.stdin.fileno(), part) if len(part) < 4096 else child.stdin.write(part)
        child.stdin.flush()
    said, _ = child.communicate(timeout=10)
    assert (said, child.returncode) == (b"3 2 0 200000 ", 3)


def test_a_child_ends_when_nobody_listens():
    child = python("from gpu.pipe import Lines; lines = Lines()\nwhile True: lines.send(text='x' * 1000)")
    child.stdout.close()
    assert child.wait(10) == 3
    child.stdin.close()
    child.stderr.close()


def test_what_nobody_catches_ends_the_child_and_keeps_its_words_to_itself():
    code = (
        "from gpu.pipe import Lines; lines = Lines()\n"
        "def draw(prompt): raise KeyError(prompt)\n"
        "draw('secret' + ' words')"
    )
    _, noise = (child := python(code)).communicate(timeout=10)
    assert child.returncode == 1
    assert noise.startswith(b"KeyError\n")
    assert b"in draw" in noise
    assert b"secret words" not in noise
