"""How the repository is laid out and what its code may not do."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import scenewise

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "eval", "prompts", "service", "store", "tools")
MODULES = sorted([*(path for room in ROOMS for path in (ROOT / room).rglob("*.py")), *(ROOT / "src" / "scenewise").glob("*.py")])
PUBLIC = {
    *("Agent", "Turn", "TurnItem", "Step", "Settings", "ScriptedModel", "Store", "Copy", "Segment"),
    *("Moment", "Place", "Item", "ItemId", "UserId", "Event", "Edge", "Profile", "Taste"),
    *("ScenewiseError", "InputError", "NotAllowed", "NotFound", "Busy", "ToolError", "RetryTool", "ToolFailed", "ModelError", "StoreError"),
    *("Stop", "StepLimit", "TimeLimit", "BudgetLimit"),
}

by_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def tree_of(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("room", ROOMS)
def test_the_package_is_links_to_the_folders_at_the_top(room: str) -> None:
    link = ROOT / "src" / "scenewise" / room
    assert link.is_symlink()
    assert os.readlink(link) == f"../../{room}"
    assert link.resolve() == ROOT / room


def test_nothing_else_is_in_the_package_folder() -> None:
    found = {path.name for path in (ROOT / "src" / "scenewise").iterdir()} - {"__pycache__"}
    assert found == {*ROOMS, "__init__.py", "__main__.py", "py.typed"}


def test_every_folder_of_modules_is_a_package() -> None:
    without = {path.parent for path in MODULES if not (path.parent / "__init__.py").is_file()}
    assert without <= {ROOT / "service" / "locks"}  # a script of the maintainers beside the files it makes


def test_the_public_names_are_these_and_import() -> None:
    assert set(scenewise.__all__) == PUBLIC
    assert len(scenewise.__all__) == len(PUBLIC)
    for name in scenewise.__all__:
        assert getattr(scenewise, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        scenewise.Manager  # noqa: B018


@by_module
def test_every_module_imports(path: Path) -> None:
    if path.name in ("__main__.py", "env.py", "make_locks.py"):
        assert tree_of(path).body  # a program, and what alembic runs
        return
    inside = path.relative_to(ROOT / "src" / "scenewise" if "src" in path.parts else ROOT).with_suffix("")
    importlib.import_module(".".join(("scenewise", *(part for part in inside.parts if part != "__init__"))))


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = (
        "torch",
        "transformers",
        "langgraph",
        "langchain_core",
        "langchain_openai",
        "chromadb",
        "scipy",
        "polars",
        "typer",
    )
    code = f"import sys, scenewise; print(sorted(set(sys.modules) & set({heavy!r})))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@by_module
def test_modules_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for function in functions(tree_of(path)):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno + 1 <= 60, function.name


@by_module
def test_modules_say_what_they_are(path: Path) -> None:
    tree = tree_of(path)
    if tree.body:
        assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


UNSAFE_IMPORTS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNSAFE_IMPORTS |= {"langchain_community", "langchain_experimental", "unittest", "pytest"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_METHODS = {("torch", "load"), ("os", "system"), ("os", "popen"), ("yaml", "load"), ("numpy", "memmap"), ("pd", "read_pickle")}
UNSAFE_OPTIONS = {"trust_remote_code", "allow_pickle", "shell", "allow_dangerous_deserialization", "weights_only"}


def unsafe(tree: ast.AST) -> Iterator[str]:
    """What in a module could run code that came as data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in UNSAFE_IMPORTS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNSAFE_IMPORTS:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id in UNSAFE_CALLS:
                yield function.id
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                pair = (function.value.id, function.attr)
                yield from (".".join(pair) for _ in range(pair in UNSAFE_METHODS))
            yield from (str(k.arg) for k in node.keywords if k.arg in UNSAFE_OPTIONS and not is_false(k.value))


def is_false(node: ast.expr) -> bool:
    """Whether it is the word False."""
    return isinstance(node, ast.Constant) and node.value is False


@by_module
def test_no_module_runs_what_comes_as_data(path: Path) -> None:
    assert list(unsafe(tree_of(path))) == []


@pytest.mark.parametrize(
    "code",
    [
        *("import pickle", "from pickle import loads", "import torch\ntorch.load('x')", "eval('1')", "exec('1')", "os.system('x')"),
        *("f(trust_remote_code=True)", "f(trust_remote_code=flag)", "np.load(x, allow_pickle=True)", "subprocess.run('x', shell=True)"),
    ],
)
def test_the_check_for_unsafe_code_finds_it(code: str) -> None:
    assert list(unsafe(ast.parse(code)))


@pytest.mark.parametrize("code", ["model.eval()", "re.compile('x')", "np.load(x, allow_pickle=False)", "connection.exec_driver_sql('x')"])
def test_the_check_for_unsafe_code_finds_nothing_else(code: str) -> None:
    assert not list(unsafe(ast.parse(code)))


@by_module
def test_no_error_is_swallowed(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type is not None else ""
        if caught in ("", "Exception", "BaseException"):
            assert isinstance(node.body[-1], ast.Raise), f"line {node.lineno}"


def test_imports_point_down_only() -> None:
    # in a process of its own: import-linter configures logging, and that silences every logger there is
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tracked() -> list[str]:
    """The repository's files: those of git, with new ones that it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted({name for name in names if name and os.path.lexists(ROOT / name)})


def copy_repository(target: Path) -> None:
    """Copy the repository's files, links as links, so that building leaves nothing behind here."""
    for name in tracked():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            copy.symlink_to(os.readlink(ROOT / name))
        else:
            shutil.copy2(ROOT / name, copy)


def packaged(names: list[str]) -> set[str]:
    """What of the repository's files belongs into the package, by its path there."""
    rooms = {f"scenewise/{name}" for name in names if name.split("/")[0] in ROOMS}
    links = {f"src/scenewise/{room}" for room in ROOMS}
    return rooms | {name.removeprefix("src/") for name in names if name.startswith("src/scenewise/") and name not in links}


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages_and_no_other(tmp_path: Path) -> None:
    copy_repository(tmp_path / "copy")
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    command = [sys.executable, "-c", build, str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path / "copy", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == packaged(tracked())


def test_no_data_and_nothing_made_is_in_the_repository() -> None:
    adapters = [name for name in tracked() if re.fullmatch(r"service/adapters/[\w-]+/adapter_model\.safetensors", name)]
    assert sum((ROOT / name).stat().st_size for name in adapters) < 15_000_000  # what the small model learned ships with the product
    learned = {*adapters, "agent/gate.safetensors"}  # and the gate, of some kilobytes
    assert (ROOT / "agent/gate.safetensors").stat().st_size < 50_000
    for name in set(tracked()) - learned:
        assert not re.search(r"\.(whl|gguf|safetensors|npz|npy|sqlite|parquet|pyc|so|pt|bin|onnx|zip|gz)$", name), name
        assert (ROOT / name).is_symlink() or (ROOT / name).stat().st_size < 1_000_000, name


@pytest.mark.slow
def test_the_first_python_of_the_readme_runs(own_store: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert blocks, "README.md shows no Python"
    environment = os.environ | {"SCENEWISE_STORE": str(own_store), "SCENEWISE_LLM_OFF": "1"}
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", blocks[0]]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip()
