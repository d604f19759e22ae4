#!/usr/bin/env bash
# The checks of the Python SDK, in a virtual environment that is made when it is missing: `install` (only that),
# `types`, `test` (further arguments go to pytest), `package` (the tests, on the wheel in an environment of its own),
# `on 3.12` (the same under another Python, where this machine has it) or, without an argument, types and tests.
# Needs Python 3.10 or newer with venv, and Node for the servers.
set -euo pipefail
cd "$(dirname "$0")"

installed=.venv/.installed
if ! cmp -s pyproject.toml "$installed"; then
  rm -rf .venv
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
  cp pyproject.toml "$installed"
fi

# The program of a Python by its version, from the path or from pyenv; fails where there is none.
interpreter() {
  local full
  if "python$1" -c 'import ensurepip, venv' 2>/dev/null; then
    command -v "python$1"
  else
    full=$(pyenv latest "$1" 2>/dev/null) && echo "$(pyenv prefix "$full")/bin/python"
  fi
}

# The tests on the wheel, with nothing but what it asks for, under the interpreter that is given.
test_package() {
  local python=$1 folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  .venv/bin/python -m build --quiet --wheel --no-isolation --outdir "$folder" .
  "$python" -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$folder"/*.whl 'pytest>=9,<10'
  "$folder/venv/bin/python" --version
  "$folder/venv/bin/pytest" --quiet -o pythonpath=tests -o cache_dir="$folder/cache" "${@:2}"
}

case "${1:-all}" in
  install) ;;
  types) .venv/bin/mypy ;;
  test) .venv/bin/pytest --quiet "${@:2}" ;;
  package) test_package python3 "${@:2}" ;;
  on)
    version=${2:?which version, for instance 3.12}
    if python=$(interpreter "$version"); then
      test_package "$python" "${@:3}"
    else
      echo "left out: no Python $version with venv here"
      if [ -n "${AGENTSTATE_TEST_SUMMARY:-}" ]; then echo '0 0' >"$AGENTSTATE_TEST_SUMMARY"; fi
    fi
    ;;
  all) .venv/bin/mypy && .venv/bin/pytest --quiet ;;
  *)
    echo "usage: $0 [install | types | test | package | on VERSION] [pytest arguments]" >&2
    exit 2
    ;;
esac
