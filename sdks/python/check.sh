#!/usr/bin/env bash
# The checks of the Python SDK, in a virtual environment that is made when it is missing: `install` (only that),
# `types`, `test` (further arguments go to pytest), `package` (the tests, on the wheel in an environment of its own) or,
# without an argument, types and tests. Needs Python 3.10 or newer with venv, and Node for the servers.
set -euo pipefail
cd "$(dirname "$0")"

installed=.venv/.installed
if ! cmp -s pyproject.toml "$installed"; then
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
  cp pyproject.toml "$installed"
fi

case "${1:-all}" in
  install) ;;
  types) .venv/bin/mypy ;;
  test) .venv/bin/pytest --quiet "${@:2}" ;;
  package)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    .venv/bin/python -m build --quiet --wheel --no-isolation --outdir "$folder" .
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$folder"/*.whl 'pytest>=9,<10'
    "$folder/venv/bin/pytest" --quiet -o pythonpath=tests -o cache_dir="$folder/cache" "${@:2}"
    ;;
  all) .venv/bin/mypy && .venv/bin/pytest --quiet ;;
  *)
    echo "usage: $0 [install | types | test | package [pytest arguments]]" >&2
    exit 2
    ;;
esac
