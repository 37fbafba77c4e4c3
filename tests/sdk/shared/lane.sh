#!/usr/bin/env bash
# What the lanes share: each lane's run.sh sources this and calls python_lane or node_lane. What a lane needs is installed
# below build/sdk, once per list of pins. TOLLGATE_BINARY names the gateway, the debug build by default.
#   run.sh [--junit FILE] [arguments of the test runner]
set -euo pipefail
lane_folder=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
shared=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$shared/../../.." && pwd)
LANE=$(basename "$lane_folder")
LANE_SHARED=$shared
TOLLGATE_BINARY=$(realpath -m "${TOLLGATE_BINARY:-$root/build/debug/src/app/tollgate}")
export LANE LANE_SHARED TOLLGATE_BINARY

junit=
if [[ ${1:-} == --junit ]]; then
  junit=$(realpath -m "${2:?--junit needs a file}")
  shift 2
fi
arguments=("$@")

# install_once COMMAND FILE...: runs COMMAND in a folder of its own, named after what the files and stdin say.
install_once() {
  local command=$1 key
  shift
  key=$(cat - "$@" | sha256sum | cut -c1-16)
  installed=$root/build/sdk/$LANE/$key
  [[ ! -e $installed/complete ]] || return 0
  echo "$LANE: installing"
  rm -rf "$root/build/sdk/$LANE"
  mkdir -p "$installed"
  # A registry that fails once is asked once more.
  "$command" "$@" || "$command" "$@"
  touch "$installed/complete"
}

install_python() { # REQUIREMENTS
  python3 -m venv "$installed"
  "$installed/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$1"
}

install_node() { # PACKAGE LOCK NPMRC
  cp "$1" "$2" "$installed/"
  cp "$3" "$installed/.npmrc"
  # The engine warning is about the Node that runs npm, which may not be the one that runs the tests.
  (cd "$installed" && npm ci --loglevel=error --ignore-scripts)
}

# python_lane FOLDER PACKAGES: the feature tests and FOLDER's own, with FOLDER's adapter. PACKAGES are named with their
# versions. A lane of another API than OpenAI's has only its own tests, and says so with own_tests_only=yes.
python_lane() {
  local folder versions report=()
  folder=$(cd "$lane_folder/$1" && pwd)
  install_once install_python "$lane_folder/requirements.txt" < <(python3 --version)
  local python=$installed/bin/python
  versions=$("$python" -c 'import sys; from importlib.metadata import version
print(*(f"{name} {version(name)}" for name in sys.argv[1:]), sep=", ")' "${@:2}")
  echo "$LANE: $versions, $("$python" --version)"
  [[ -z $junit ]] || report=(--junitxml="$junit")
  cd "$shared/.."
  export PYTHONPATH=$shared:$folder PYTHONDONTWRITEBYTECODE=1
  local tests=("$shared" "$folder")
  [[ ${own_tests_only:-no} == no ]] || tests=("$folder")
  exec "$python" -m pytest -c "$shared/pytest.ini" --rootdir . "${report[@]}" "${tests[@]}" "${arguments[@]}"
}

# node_lane FOLDER PACKAGES: the same for Node, by the lane's own Node where its packages bring one. The tests are copied
# to the packages because modules are looked up from where the importing file is.
node_lane() {
  local folder versions name node=node own report=(--test-reporter=spec --test-reporter-destination=stdout)
  folder=$(cd "$lane_folder/$1" && pwd)
  local own_tests=("$folder"/*.test.mjs)
  [[ -e ${own_tests[0]} ]] || own_tests=()
  install_once install_node "$lane_folder/package.json" "$lane_folder/package-lock.json" "$shared/npmrc" </dev/null
  cp "$shared"/*.mjs "$folder"/*.mjs "$installed/"
  cd "$installed"
  # One file for all: files run one after the other on small machines, and the features' quiet stream takes a minute.
  local tests=("${own_tests[@]##*/}" features.test.mjs)
  [[ ${own_tests_only:-no} == no ]] || tests=("${own_tests[@]##*/}")
  printf "import './%s';\n" "${tests[@]}" >all.mjs
  for own in node_modules/node-linux-*/bin/node; do
    if "$own" --version >/dev/null 2>&1; then node=$own; fi
  done
  versions=
  for name in "${@:2}"; do
    versions+="$name $(sed -n 's/^  "version": "\(.*\)",$/\1/p' "node_modules/$name/package.json"), "
  done
  echo "$LANE: ${versions}Node $("$node" --version)"
  [[ -z $junit ]] || report+=(--test-reporter=junit --test-reporter-destination="$junit")
  exec "$node" --test "${report[@]}" "${arguments[@]}" ./all.mjs
}
