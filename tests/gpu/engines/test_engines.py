import subprocess
import sys

import pytest

from gpu.engines import ENGINES, find_engine
from sakuga.errors import RenderFailed
from tests.gpu.conftest import ROOT


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_found_under_the_name_in_its_spec(name):
    assert find_engine(name).spec.name == name


def test_an_unknown_engine_is_said_to_be_unknown():
    with pytest.raises(RenderFailed, match="no engine 'wan9'"):
        find_engine("wan9")


def test_no_engine_is_imported_before_it_is_asked_for():
    code = "import sys, gpu.engines; print([m for m in sys.modules if m.startswith(('gpu.engines.', 'PIL', 'av'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
