#!/bin/sh
# Makes .venv from the lock. Needs only python3 (3.11 or newer); says in one sentence what is missing.
set -u
python=${PYTHON:-python3}

fail() {
  printf 'pulsequeue: %s\n' "$1" >&2
  exit 1
}

command -v "$python" >/dev/null 2>&1 ||
  fail "$python was not found; install Python 3.11 or newer, or name one with PYTHON=/path/to/python3."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version 2>&1) is too old; PulseQueue needs 3.11 or newer (name one with PYTHON=...)."
[ -w . ] || fail "this folder ($(pwd)) cannot be written to, and .venv has to be made in it."

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
  echo "Making .venv ..."
  "$python" -m venv --clear .venv >/dev/null 2>.venv-error.log || {
    cause=$(tail -n 1 .venv-error.log 2>/dev/null); rm -rf .venv .venv-error.log
    fail "$python could not make a virtual environment${cause:+ ($cause)}; on Debian, install python3-venv."
  }
  rm -f .venv-error.log
fi

echo "Installing the locked dependencies ..."
log=.venv/install.log
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@" >>"$log" 2>&1; }
: >"$log"
# uv installs in seconds what pip needs a minute for; where uv cannot reach an index that pip is configured
# for, pip does it.
{
  pip install --require-hashes -r requirements/installer.txt &&
    .venv/bin/uv pip sync --quiet --python .venv/bin/python --compile-bytecode --require-hashes \
      requirements/all.txt >>"$log" 2>&1
} || pip install --require-hashes -r requirements/all.txt ||
  fail "the dependencies could not be installed; the last words were: $(tail -n 1 "$log") (all of it: $log)"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline --editable . \
  >>"$log" 2>&1 || fail "PulseQueue itself could not be installed into .venv; see $log."
touch .venv/.installed
