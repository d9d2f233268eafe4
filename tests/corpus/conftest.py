import pytest

from semcoder_lib.sandbox import Sandbox


@pytest.fixture(scope="package")
def box():
    with Sandbox(workers=2) as box:
        yield box
