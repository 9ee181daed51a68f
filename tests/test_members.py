"""Every module says what it offers."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(path for package in ("survey", "change") for path in (ROOT / package).rglob("*.py"))


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_all_names_what_exists(path):
    module = importlib.import_module(module_name(path))
    assert isinstance(module.__all__, list), "__all__ is a list (its order is ruff's RUF022)"
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_all_names_everything_public(path):
    module = importlib.import_module(module_name(path))
    defined = {
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    assert {name for name in defined if not name.startswith("_")} <= set(module.__all__)
