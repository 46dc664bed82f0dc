import os

import pytest

from bottool_runner.fetching import fetched


class Downloads:
    """Writes one of ``contents`` after the other."""

    def __init__(self, *contents):
        self.contents = list(contents)
        self.targets = []

    def __call__(self, target):
        self.targets.append(target)
        target.write_bytes(self.contents.pop(0))


@pytest.fixture
def package(bench):
    return bench.package("print()")


def test_a_package_is_downloaded_once_and_then_taken_from_the_cache(bench, package, tmp_path):
    downloads = Downloads(package.read_bytes())
    work = bench.work(package)

    path = fetched(bench.cache, work, tmp_path, downloads)

    assert path.read_bytes() == package.read_bytes()
    assert path.name == package.name
    assert fetched(bench.cache, work, tmp_path, downloads) == path
    assert not (tmp_path / ".package").exists()


def test_a_package_that_arrived_broken_is_fetched_again(bench, package, tmp_path):
    downloads = Downloads(b"broken", package.read_bytes())

    assert fetched(bench.cache, bench.work(package), tmp_path, downloads).read_bytes() == package.read_bytes()


def test_a_package_that_is_always_another_one_is_none(bench, package, tmp_path):
    downloads = Downloads(*[b"another"] * 3)

    assert fetched(bench.cache, bench.work(package), tmp_path, downloads) is None
    assert not bench.cache.has_package(bench.work(package).sha256)


@pytest.mark.parametrize(
    "name",
    ["../../evil.zip", "/etc/evil.zip", "..\\..\\evil.zip", "C:\\evil.zip", "C:evil.zip", "", "a/", "..", "a/.."],
)
def test_a_name_that_leads_elsewhere_stays_in_its_place(bench, package, tmp_path, name):
    downloads = Downloads(package.read_bytes())

    path = fetched(bench.cache, bench.work(package, file_name=name), tmp_path, downloads)

    assert downloads.targets[0].parent == tmp_path / ".package"
    assert os.path.basename(path.name) == path.name
