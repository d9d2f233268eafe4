#!/usr/bin/env bash
# Sets the environment up on first use, then runs the ten notebooks. `./run_all.sh --help` says more.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

usage() {
  cat <<'TEXT'
usage: ./run_all.sh [COMMAND] [OPTIONS]

  (nothing), laptop   run all notebooks with the laptop profile: two cores, no GPU, about 25 minutes
  smoke               the same path in a few minutes, tiny sizes
  hour                as laptop, with six times its training
  evening             as hour, with twice its programs and nearly eight times its training
  coder               Qwen2.5-Coder-0.5B, a model that can write code (four hours)
  gpu                 one GPU of 16 GB or more
  paper               the paper's model and data: several GPUs of 48 GB
  bench NAME          speed beside peers: sandbox, tracing, generation, training
  test                lint, types, unit tests, then the smoke profile end to end (--unit, --slow)
  lab [FOLDER]        JupyterLab on the notebooks, or on workshop/exercises
  workshop            prepare a class: build workshop/ with exercises, solutions and the instructor's
                      edition, then run the profile workshop, 10 minutes (docs/workshop.md)
  setup               only make the environment
  doctor              check this machine (--workshop: and what a class needs)
  lock                write constraints.txt anew from the present environment

Options of a run go on to `python -m semcoder_lib run`:
  --run NAME  --from NN  --only NN  --set key=value  --force
Results are in runs/NAME: notebooks/ (executed, with HTML) and 09_report/report.html.

Environment variables, all optional:
  PYTHON          the Python to build the environment with (3.11 to 3.13)
  SEMCODER_ENV    "venv" or "conda": which kind of environment to make
  SEMCODER_DATA   a folder with benchmark files (see README)
  SEMCODER_HOME   where models and fetched data are kept (default ~/.cache/semcoder)
  SEMCODER_RUNS   where runs are kept (default runs/ here)
TEXT
}

fail() { printf 'run_all.sh: %s\n' "$1" >&2; exit "${2:-3}"; }
say() { printf '%s\n' "$1" >&2; }

# --- the environment ------------------------------------------------------------------------

pip_section() { # the requirement lines under "- pip:" of environment.yml, comments dropped
  awk '/^[[:space:]]*- pip:/ {on=1; next} on && /^[[:space:]]*- / {sub(/^[[:space:]]*- /, ""); print; next}
       on && /^[[:space:]]*(#.*)?$/ {next} on {exit}' "$here/environment.yml"
}

stamp() { cat "$here/environment.yml" "$here/constraints.txt" "$here/pyproject.toml" | cksum; echo "$here"; }

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    command -v "$PYTHON" >/dev/null 2>&1 || fail "PYTHON=$PYTHON is not a command"
    suits "$PYTHON" || fail "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13"
    printf '%s' "$PYTHON"; return
  fi
  for candidate in python3 python3.11 python3.12 python3.13 python; do
    if command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
      printf '%s' "$candidate"; return
    fi
  done
  fail "no Python 3.11, 3.12 or 3.13 found; install one, or set PYTHON to its path"
}

find_conda() {
  local tool
  for tool in micromamba mamba conda; do
    if command -v "$tool" >/dev/null 2>&1; then printf '%s' "$tool"; return 0; fi
  done
  return 1
}

has_gpu() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; }

install() { # the requirements file
  (cd "$here" && "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1") >&2
}

make_venv() {
  local base requirements torch
  base=$(find_python)
  if [ ! -x "$here/.venv/bin/python" ]; then
    rm -rf "$here/.venv"
    if ! "$base" -m venv "$here/.venv" >&2; then
      rm -rf "$here/.venv"
      fail "\`$base -m venv\` failed; on Debian and Ubuntu: apt-get install python3-venv, then run again"
    fi
  fi
  say "filling .venv (once, some minutes)"
  requirements=$(mktemp "$here/.requirements.XXXXXX") # here: pip looks for "-c" beside this file
  trap 'rm -f "$here"/.requirements.*' EXIT
  pip_section >"$requirements"
  if ! has_gpu; then # a CPU build where the package index offers one; otherwise the ordinary build
    torch=$(sed -n 's/^torch==//p' "$requirements")
    (cd "$here" && "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      -c constraints.txt "torch==$torch+cpu") >/dev/null 2>&1 || true
  fi
  if ! install "$requirements"; then
    # an installation that was killed half-way leaves packages that pip cannot mend; one that was
    # complete before is left alone
    [ ! -f "$here/.venv/.semcoder" ] && say "that failed; once more, with an empty .venv" &&
      rm -rf "$here/.venv" && "$base" -m venv "$here/.venv" >&2 && install "$requirements" ||
      fail "the packages could not be installed; the reason is above. Run ./run_all.sh setup again when it is mended"
  fi
  rm -f "$requirements"
}

make_conda() {
  local tool=$1
  say "using $tool (this path has not been tried by the project's own tests; SEMCODER_ENV=venv avoids it)"
  (cd "$here" && if [ -d "$here/.conda" ]; then
    "$tool" env update -y -p "$here/.conda" -f environment.yml
  elif [ "$tool" = micromamba ]; then
    "$tool" create -y -p "$here/.conda" -f environment.yml
  else
    "$tool" env create -y -p "$here/.conda" -f environment.yml
  fi) >&2 || fail "$tool could not make the environment; SEMCODER_ENV=venv ./run_all.sh setup uses a plain virtual environment"
}

setup() {
  local kind=${SEMCODER_ENV:-} tool=""
  if [ -z "$kind" ]; then
    if [ -x "$here/.venv/bin/python" ]; then kind=venv
    elif tool=$(find_conda); then kind=conda
    else kind=venv; fi
  fi
  case "$kind" in
    venv) env_dir="$here/.venv" ;;
    conda) env_dir="$here/.conda"
           tool=${tool:-$(find_conda || true)}
           [ -n "$tool" ] || fail "SEMCODER_ENV=conda, but neither micromamba, mamba nor conda is on the PATH" ;;
    *) fail "SEMCODER_ENV must be venv or conda, not '$kind'" 2 ;;
  esac
  python="$env_dir/bin/python"
  if [ -x "$python" ] && [ -f "$env_dir/.semcoder" ] && [ "$(cat "$env_dir/.semcoder")" = "$(stamp)" ]; then
    return
  fi
  case "$kind" in venv) make_venv ;; conda) make_conda "$tool" ;; esac
  stamp >"$env_dir/.semcoder"
}

# --- commands -------------------------------------------------------------------------------

command=${1:-laptop}
case " $*" in
  *" --profile"*) fail "profiles are commands: ./run_all.sh laptop, not --profile laptop" 2 ;;
esac
case "$command" in
  -h | --help | help) usage; exit 0 ;;
  --*) command=laptop ;; # options only: the default profile
  *) [ $# -gt 0 ] && shift ;;
esac
case "$command" in
  smoke | laptop | hour | evening | coder | gpu | paper | test | bench | lab | workshop | setup | doctor | lock) ;;
  *) fail "unknown command '$command'; ./run_all.sh --help lists them" 2 ;;
esac
checks=""
if [ "$command $*" = "doctor --workshop" ]; then checks=--workshop; shift; fi
if [ "$command" = setup ] || [ "$command" = doctor ] || [ "$command" = lock ]; then
  [ $# -eq 0 ] || fail "'$command' takes no options, but got '$1'" 2
fi

setup
export PYTHONUNBUFFERED=1
case "$command" in
  setup) say "the environment is ready: $python" ;;
  doctor)
    export SEMCODER_RUNS="${SEMCODER_RUNS:-$here/runs}"
    cd "$here" && exec "$python" -m semcoder_lib doctor ${checks:+"$checks"} ;;
  workshop)
    export SEMCODER_RUNS="${SEMCODER_RUNS:-$here/runs}"
    cd "$here"
    "$python" -m semcoder_lib workshop "$@" >&2 # first: it may refuse
    "$python" -m semcoder_lib run workshop
    rm -rf "$SEMCODER_RUNS/workshop/04_sft" ;; # the class trains a model of its own
  lab) # no question about Jupyter's news on the first page, no look for updates
    settings=$("$python" -c 'import sys; print(sys.prefix)')/share/jupyter/lab/settings
    mkdir -p "$settings" && printf '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}\n' > "$settings/overrides.json"
    cd "$here/${1:-notebooks}" && exec env SEMCODER_RUNS="${SEMCODER_RUNS:-$here/runs}" "$python" -m jupyter lab 00_tour.ipynb ;;
  bench) cd "$here" && exec "$python" -m tests.bench "$@" ;;
  test) cd "$here" && exec "$python" tests/run.py "$@" ;;
  lock)
    { echo "# Generated by ./run_all.sh lock: every version below environment.yml's."
      "$python" -m pip freeze --exclude-editable | sed 's/+cpu$//' | LC_ALL=C sort -f; } >"$here/constraints.txt.new"
    mv "$here/constraints.txt.new" "$here/constraints.txt"
    stamp >"$env_dir/.semcoder" ;;
  *) export SEMCODER_RUNS="${SEMCODER_RUNS:-$here/runs}"
     exec "$python" -m semcoder_lib run "$command" "$@" ;;
esac
