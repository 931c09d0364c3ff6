#!/bin/sh
# Creates .venv from the lock file. Needs python3 (3.11 or newer); an error says in one sentence what is missing.
set -u
python=${PYTHON:-python3}

fail() {
  printf 'pulsequeue: %s\n' "$1" >&2
  exit 1
}

command -v "$python" >/dev/null 2>&1 ||
  fail "$python was not found; install Python 3.11 or newer, or set PYTHON=/path/to/python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version 2>&1) is too old; PulseQueue needs 3.11 or newer (choose one with PYTHON=...)."
[ -w . ] || fail "this folder ($(pwd)) is not writable, but .venv has to be created in it."

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
  echo "Creating .venv ..."
  "$python" -m venv --clear .venv >/dev/null 2>.venv-error.log || {
    cause=$(tail -n 1 .venv-error.log 2>/dev/null); rm -rf .venv .venv-error.log
    fail "$python could not create a virtual environment${cause:+ ($cause)}; on Debian, install python3-venv."
  }
  rm -f .venv-error.log
fi

echo "Installing the locked dependencies ..."
log=.venv/install.log
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@" >>"$log" 2>&1; }
: >"$log"
# uv takes seconds where pip takes a minute. If uv cannot reach the index that pip is configured for, pip installs.
{
  pip install --require-hashes -r requirements/installer.txt &&
    .venv/bin/uv pip sync --quiet --python .venv/bin/python --compile-bytecode --require-hashes \
      requirements/all.txt >>"$log" 2>&1
} || pip install --require-hashes -r requirements/all.txt ||
  fail "the dependencies could not be installed: $(tail -n 1 "$log") (log: $log)"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline --editable . \
  >>"$log" 2>&1 || fail "PulseQueue itself could not be installed into .venv; see $log."
touch .venv/.installed
