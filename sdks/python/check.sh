#!/usr/bin/env bash
# The checks of the Python SDK, in a virtual environment that is made when it is missing: `types`, `test` (further
# arguments go to pytest) or, without an argument, both. Needs Python 3.10 or newer with venv, and Node for the
# scripted server.
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
  types) .venv/bin/mypy ;;
  test) .venv/bin/pytest --quiet "${@:2}" ;;
  all) .venv/bin/mypy && .venv/bin/pytest --quiet ;;
  *)
    echo "usage: $0 [types | test [pytest arguments]]" >&2
    exit 2
    ;;
esac
