"""Turns CustomResourceDefinitions into the JSON schemas that kubeconform reads.

usage: crd_schemas.py <output folder> <crd.yaml>...
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


def main(output, files):
    folder = pathlib.Path(output)
    folder.mkdir(parents=True, exist_ok=True)
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


main(sys.argv[1], sys.argv[2:])
