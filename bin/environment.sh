# Sourced by the other scripts: makes and refreshes .venv from hash-locked pins. No server is started here.
#   environment run    what the product needs        environment dev    and what its tests and checks need

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

fitting_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.14; do
    if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  fail "Python 3.11 to 3.14 is needed; python3 on this PATH is $(python3 -V 2>&1 | head -n 1)."
}

make_venv() {
  local python
  python=$(fitting_python) || exit 1
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make environments; on Debian and Ubuntu: apt-get install python3-venv"
  "$python" -m venv --clear "$root/.venv" >/dev/null 2>&1 ||
    fail "could not make $root/.venv: is the folder writable and the disk not full?"
}

# install FILE [pip options]: from pins with hashes; on failure one line, the rest in a log
install_pins() {
  local log="$root/.venv/install.log" why
  if ! "$root/.venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes \
    -r "$@" >"$log" 2>&1; then
    why=$(grep -E '^ERROR|HASHES' "$log" | head -n 1 | cut -c 1-160)
    fail "could not install the pins in $(basename "$1"): ${why:-see the log} (all of it: $log)"
  fi
}

environment() {
  local kind=$1 pins="$root/requirements/$1.txt" stamp sum
  exec 9<"$root" && flock 9 # two scripts at once: the second waits and finds it done
  "$root/.venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
  sum=$(sha256sum <"$pins") stamp="$root/.venv/installed-$kind"
  if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
    rm -f "$root"/.venv/installed-* # until it is whole again
    echo "Installing the pinned packages of requirements/$kind.txt (a minute or two) ..."
    install_pins "$pins"
    echo "$sum" >"$stamp"
    # everything that runs is also in dev.txt
    if [ "$kind" = dev ]; then sha256sum <"$root/requirements/run.txt" >"$root/.venv/installed-run"; fi
  fi
  exec 9<&-
}
