"""The digest of the code behind a node."""

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from pipeline.graph import code_digest as module
from pipeline.graph.code_digest import code_digest

FILES = {
    "shop/__init__.py": '"""A package."""\n',
    "shop/main.py": "import json\nfrom shop import parts\nfrom shop.deep import far\n",
    "shop/parts.py": "from . import near as n\nVALUE = 1\n",
    "shop/near.py": "VALUE = 1\n",
    "shop/deep/__init__.py": "",
    "shop/deep/far.py": "from ..lazy import later\nfrom .beside import VALUE\n",
    "shop/deep/beside.py": "VALUE = 1\n",
    "shop/lazy.py": "def later():\n    import shop.inside\n    from names import VALUE\n",
    "shop/inside.py": "VALUE = 1\n",
    "names.py": "import shop.main  # a circle\nVALUE = 1\n",
    "shop/unrelated.py": "VALUE = 1\n",
    "other/__init__.py": "import shop.main\n",
}
Digest = Callable[..., str]


@pytest.fixture
def digest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Digest]:
    """Digests `shop.main` in a new folder, with some files changed or left out (None)."""
    numbers = count()

    def digest(changes: Mapping[str, str | None] | None = None, *, names: str = "shop.main") -> str:
        folder = tmp_path / str(next(numbers))
        for name, text in {**FILES, **(changes or {})}.items():
            if text is not None:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            importlib.invalidate_caches()
            return code_digest(*names.split())

    yield digest
    assert not {"shop", "names", "other"} & set(sys.modules)  # nothing is imported


def test_code_digest_ignores_the_folder(digest_of: Digest) -> None:
    assert digest_of() == digest_of()


@pytest.mark.parametrize(
    "name",
    [
        "shop/main.py",
        "shop/parts.py",
        "shop/near.py",
        "shop/deep/far.py",
        "shop/deep/beside.py",
        "shop/lazy.py",
        "shop/inside.py",
        "names.py",
    ],
)
def test_code_digest_changes_with_imports(digest_of: Digest, name: str) -> None:
    assert digest_of({name: FILES[name] + "# changed\n"}) != digest_of()


@pytest.mark.parametrize("name", ["shop/unrelated.py", "other/__init__.py"])
def test_code_digest_ignores_other_modules(digest_of: Digest, name: str) -> None:
    assert digest_of({name: "VALUE = 2\n"}) == digest_of()


@pytest.mark.parametrize("name", ["shop/__init__.py", "shop/deep/__init__.py"])
def test_code_digest_changes_with_parent_packages(digest_of: Digest, name: str) -> None:
    files = {"shop/main.py": "import shop.deep.beside\n"}

    assert digest_of({**files, name: "VALUE = 2\n"}) != digest_of(files)


@pytest.mark.parametrize(
    "package",
    [
        "shop",
        "shop/deep",
    ],
)
def test_code_digest_follows_imports_of_a_package(digest_of: Digest, package: str) -> None:
    files = {
        "shop/main.py": "import shop, shop.deep\n",
        f"{package}/__init__.py": "from . import extra\nfrom .more import VALUE\n",
        f"{package}/extra.py": "",
        f"{package}/more.py": "",
    }

    changed = [{**files, f"{package}/{name}.py": "VALUE = 2\n"} for name in ("extra", "more")]
    assert digest_of(files) not in [digest_of(each) for each in changed]


def test_code_digest_covers_namespace_packages(digest_of: Digest) -> None:
    files = {"shop/__init__.py": None}

    assert digest_of({**files, "shop/main.py": "VALUE = 2\n"}) != digest_of(files)


def test_code_digest_changes_with_moved_lines(digest_of: Digest) -> None:
    line = "VALUE = 1\n"
    first = {"shop/near.py": line + line, "shop/parts.py": FILES["shop/parts.py"]}
    second = {"shop/near.py": line, "shop/parts.py": line + FILES["shop/parts.py"]}

    assert digest_of(first) != digest_of(second)


def test_code_digest_covers_all_given_modules(digest_of: Digest) -> None:
    changes = {"shop/unrelated.py": "VALUE = 2\n"}

    assert digest_of(changes, names="shop.main shop.unrelated") != digest_of(
        names="shop.main shop.unrelated"
    )


def test_code_digest_ignores_the_order_of_modules(digest_of: Digest) -> None:
    assert digest_of(names="shop.main names") == digest_of(names="names shop.main")


def test_code_digest_covers_a_named_installed_package(
    digest_of: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_ours", lambda path: False)
    before = digest_of()

    assert digest_of({"shop/near.py": "VALUE = 2\n"}) != before
    assert digest_of({"names.py": "VALUE = 2\n"}) == before


def test_code_digest_changes_with_library_versions(
    digest_of: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_of()

    monkeypatch.setattr(module, "version", lambda library: "0")

    assert digest_of() != before


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        ("trainer.run", "trainer.model.model_fn"),
        ("trainer.run", "trainer.settings.train"),
        ("components.evaluator.component", "components.evaluator.summarize"),
        ("components.pusher.component", "components.pusher.versions"),
        ("components.csv_example_gen.component", "tabular.csv.reader"),
    ],
)
def test_code_digest_covers_the_nodes(name: str, behind: str) -> None:
    sources = module._sources([name])

    assert behind in sources
    packages = {source.split(".")[0] for source in sources}
    assert packages <= {"components", "serving", "trainer", "tabular"}
