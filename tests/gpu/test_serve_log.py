"""What the resident child writes for people."""

from pathlib import Path

from tests.gpu.test_serve import Server, ended


def test_the_trace_of_a_failure_begins_with_its_job_and_holds_no_word_of_its_prompt(tmp_path: Path) -> None:
    child = Server(tmp_path)
    (tmp_path / "render_1").touch()
    child.draw("render_1", job_id="job_7", engine="rehearsal", prompt="unspeakable words")
    assert child.hear_until(ended)[-1]["error"]["code"] == "render_failed"
    child.process.kill()
    said = child.process.stderr.read().decode()
    assert said.startswith("job_7: FileExistsError"), said
    assert "unspeakable" not in said
    child.end()
