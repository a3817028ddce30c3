"""The page at `/`: the models, their versions and inputs, and a form to try them."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path

from serving.errors import ServingError
from serving.models.catalog import Catalog
from serving.models.columns import Column
from serving.models.engine import Signature
from serving.models.versions import ServedVersion, State, Version
from serving.pages.form import describe_range, make_form
from serving.pages.openapi import make_openapi, path_of
from serving.pages.tensor_schema import describe_shape
from serving.settings import ServingSettings
from trainer.classes import CLASSES_FILE
from trainer.signatures import SERVING_SIGNATURE


def make_pages(
    catalog: Catalog, settings: ServingSettings
) -> dict[str, Callable[[], tuple[int, str, bytes]]]:
    """Makes the pages by path; each returns status, content type and body."""
    return {
        "/": lambda: (
            200,
            "text/html; charset=utf-8",
            make_page(catalog, settings).encode(errors="replace"),
        ),
        "/openapi.json": lambda: (
            200,
            "application/json",
            json.dumps(make_openapi(catalog, settings)).encode(),
        ),
    }


def make_page(catalog: Catalog, settings: ServingSettings) -> str:
    """Writes the HTML page; its security policy allows only its own script and style."""
    template = Path(__file__).with_name("page.html").read_text("utf-8")
    policy = "; ".join(
        (
            "default-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "connect-src 'self'",
            f"style-src {_hash(template, 'style')}",
            f"script-src {_hash(template, 'script')}",
        )
    )
    models = "".join(_model(catalog, settings, model) for model in catalog.models)
    return template.replace(
        "<!-- policy -->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    ).replace("<!-- models -->", models)


def _hash(template: str, tag: str) -> str:
    """Returns the hash of an element for the content security policy."""
    text = template.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _model(catalog: Catalog, settings: ServingSettings, model: str) -> str:
    path = path_of(model)
    links = f'<a href="{escape(path)}">Status</a>'
    versions = _versions(catalog.statuses(model))
    try:
        served = catalog.find(model)
    except ServingError:
        rest = f"<p>Waiting for a first version that can be served.</p>{versions}"
    else:
        links += f'<a href="{escape(path)}/metadata">Metadata</a>'
        signatures = served.engine.signatures
        described = [
            _signature(signatures[name], served.columns if name == SERVING_SIGNATURE else {})
            for name in sorted(signatures, key=lambda name: (name != SERVING_SIGNATURE, name))
        ]
        rest = (
            f"{versions}{_try_it(served, path)}<h3>Signatures</h3>{''.join(described)}"
            f"{_grpc(model, settings.grpc_port)}"
        )
    head = f"<div><h2>{escape(model)}</h2><nav>{links}</nav></div>"
    return f"<article>{head}{rest}</article>"


def _versions(versions: Iterable[Version]) -> str:
    def row(version: Version) -> tuple[str, ...]:
        name = version.state.name
        is_over = version.state == State.END and not version.message
        why = "replaced, or taken away" if is_over else escape(version.message)
        state = f'<span class="{name.lower()}">{name}</span>'
        return str(version.number), state, f'<span class="why">{why}</span>'

    return _table(("Version", "State", ""), [row(version) for version in versions])


def _try_it(served: ServedVersion, path: str) -> str:
    signature = served.engine.signatures.get(SERVING_SIGNATURE)
    if signature is None:
        return ""
    classes = json.dumps(_read_classes(served.engine.model_dir))
    form = make_form(signature, served.columns, f"{path}:predict", classes)
    return f'<h3>Try it</h3>{form}<h3>The same by hand</h3><pre class="command"></pre>'


def _read_classes(model_dir: Path) -> list[str]:
    """Reads the class names of a classifier; empty if the model has no such file."""
    path = model_dir / "assets.extra" / CLASSES_FILE
    try:
        return path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _signature(signature: Signature, columns: Mapping[str, Column]) -> str:
    inputs = [
        (
            f"<code>{escape(name)}</code>",
            escape(tensor.dtype.name),
            describe_shape(tensor),
            _allowed(columns.get(name)),
            escape(str(columns[name].example)) if name in columns else "",
        )
        for name, tensor in signature.inputs.items()
    ]
    outputs = [
        (f"<code>{escape(name)}</code>", escape(tensor.dtype.name), describe_shape(tensor))
        for name, tensor in signature.outputs.items()
    ]
    head: tuple[str, ...] = ("Input", "Type", "Shape", "Allowed", "Example")
    if not columns:
        head, inputs = head[:3], [row[:3] for row in inputs]  # type: ignore[misc]
    opened = " open" if signature.name == SERVING_SIGNATURE else ""
    return (
        f"<details{opened}><summary><code>{escape(signature.name)}</code>"
        f' <span class="soft">{escape(signature.method.rpartition("/")[2])}</span></summary>'
        f"{_table(head, inputs)}{_table(('Output', 'Type', 'Shape'), outputs)}</details>"
    )


def _allowed(column: Column | None) -> str:
    if column is None:
        return ""
    allowed = describe_range(column) if column.words is None else ", ".join(column.words)
    return escape(allowed or "any") + ("" if column.required else "; may be missing")


def _grpc(model: str, port: int) -> str:
    request = json.dumps({"model_spec": {"name": model}, "metadata_field": ["signature_def"]})
    quoted = escape(request.replace("'", "'\\''"))
    return (
        "<h3>gRPC</h3><p>PredictionService and ModelService of TensorFlow Serving, with its own"
        " stubs (<code>tensorflow-serving-api</code>) or by reflection:</p><pre>"
        f"grpcurl -plaintext -d '{quoted}' \\\n"
        f'  <span class="host">127.0.0.1</span>:{port or "PORT"} '
        "tensorflow.serving.PredictionService/GetModelMetadata</pre>"
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Writes a table of cells that are HTML already; empty without rows."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return ""
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    return f'<div class="scroll"><table><tr>{heads}</tr>{body}</table></div>'
