"""The texts under a dataclass's attributes, which are the fields' descriptions in the CRD."""

import ast
import inspect
from itertools import pairwise


def describe(cls: type) -> dict[str, str]:
    """Attribute to the text that stands under it in the source, on one line."""
    (tree,) = ast.parse(inspect.getsource(cls)).body
    if not isinstance(tree, ast.ClassDef):
        return {}
    return {
        field.target.id: " ".join(text.split())
        for field, below in pairwise(tree.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and (text := _text(below))
    }


def _text(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return ""
