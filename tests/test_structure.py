"""No file needs, directly or through others, a file that needs it: Python modules and C headers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"langrearrange": ROOT / "langrearrange", "langrearrange_baselines": ROOT / "baselines"}
Graph = dict[str, set[str]]


def module_files() -> dict[str, Path]:
    """Return every module's dotted name -> its file; packages stand for their `__init__`."""
    files = {}
    for name, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            files[".".join((name, *parts)).removesuffix(".__init__")] = path
    return files


def imports_of(module: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield (module, name or "") of every import; function bodies count, TYPE_CHECKING does not."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((base, alias.name) for alias in node.names)


def import_graph(files: Mapping[str, Path]) -> Graph:
    """Return module -> modules it imports; a name a package re-exports counts as its own module."""
    imports = {module: set(imports_of(module, path)) for module, path in files.items()}

    def resolve(module: str, name: str) -> str:
        if f"{module}.{name}" in files:
            return f"{module}.{name}"
        if module in files and files[module].name == "__init__.py":
            for source, exported in imports[module]:
                if exported == name and source != module:
                    return resolve(source, name)
        return module

    graph = {m: {resolve(*one) for one in found} - {m} for m, found in imports.items()}
    return {m: found & files.keys() for m, found in graph.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Return circular chains, one per knot: each is found, then cut at its first edge."""
    graph = {node: set(needs) for node, needs in graph.items()}
    found = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            chain = error.args[1][::-1]  # each needs the next
            found.append(chain)
            graph[chain[0]].remove(chain[1])
        else:
            return found


def test_no_module_imports_itself_through_others() -> None:
    chains = circles(import_graph(module_files()))
    assert not chains, "\n".join(" -> ".join(chain) for chain in chains)


def test_no_c_header_includes_itself_through_others() -> None:
    folder = ROOT / "langrearrange" / "sim" / "embedded" / "raster"
    graph: Graph = {}
    for path in sorted(folder.rglob("*.[ch]")):
        included = re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M)
        graph[str(path)] = {str((path.parent / name).resolve()) for name in included}
    assert graph
    assert set().union(*graph.values()) <= graph.keys()
    assert circles(graph) == []


def test_a_circle_is_found_also_through_a_package_and_inside_a_function(tmp_path: Path) -> None:
    texts = {
        "p": "from p.a import f",
        "p.a": "def f():\n    from p.b import g",
        "p.b": "from p import f\nif typing.TYPE_CHECKING:\n    import p.c",
        "p.c": "from .b import g",
    }
    files = {}
    for module, text in texts.items():
        files[module] = tmp_path / ("__init__.py" if module == "p" else f"{module}.py")
        files[module].write_text(text)
    (chain,) = circles(import_graph(files))
    assert set(chain) == {"p.a", "p.b"}


def test_every_file_that_the_contributing_page_names_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(
        r"`((?:templates|langrearrange|baselines)/[\w/]+\.\w+)`|(docs/[\w-]+\.md)", page
    )
    paths = {path or page for path, page in named}
    assert len(paths) >= 20
    assert not [path for path in paths if not (ROOT / path).is_file()]
