"""Makes the JSON schemas that kubeconform reads: of Kubernetes' own kinds, and of CustomResourceDefinitions.

usage: schemas.py kinds <output folder> <folder of kubernetes-validate> <kind>...
       schemas.py custom <output folder> <crd.yaml>...
"""

import json
import pathlib
import sys

import yaml


def strict(schema):
    """Fields that a definition does not know are mistakes, except where it says that anything goes."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    is_open = "additionalProperties" in made or made.get("x-kubernetes-preserve-unknown-fields")
    if made.get("type") == "object" and isinstance(made.get("properties"), dict) and not is_open:
        made["additionalProperties"] = False
    return made


def kinds(folder, source, names):
    """Each schema by itself: the definitions that all refer to, by a path on a server, go into each."""

    def local(path):
        return json.loads(path.read_text().replace("/api/_definitions.json#", "#"))

    definitions = local(source / "_definitions.json")["$defs"]
    for name in names:
        schema = local(source / f"{name}.json")
        for key in ("$id", "$schema"):
            schema.pop(key, None)
        (folder / f"{name}.json").write_text(json.dumps({**schema, "$defs": definitions}))


def custom(folder, files):
    for file in files:
        for definition in yaml.safe_load_all(pathlib.Path(file).read_text()):
            spec = definition["spec"]
            group = spec["group"].split(".")[0]
            for version in spec["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                # The names of every object are the API server's own affair.
                schema["properties"]["metadata"] = {"type": "object"}
                name = f"{spec['names']['kind'].lower()}-{group}-{version['name']}.json"
                (folder / name).write_text(json.dumps(schema))


command, output, *rest = sys.argv[1:]
made = pathlib.Path(output)
made.mkdir(parents=True, exist_ok=True)
if command == "kinds":
    kinds(made, pathlib.Path(rest[0]), rest[1:])
else:
    custom(made, rest)
