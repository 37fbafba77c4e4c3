#!/usr/bin/env bash
# Installs what is missing from Debian 12's packages; called by run.sh, test.sh, coverage.sh, bench/ and .ci/run.
# Usage: scripts/setup.sh [build] [test] [clang] [coverage] [bench]      (default: build)
# A machine that has everything is told so in well under a second and needs no root.
set -euo pipefail

declare -A packages=(
  [build]="g++-12 gcc-12 cmake ninja-build ccache libboost1.81-dev libssl-dev nlohmann-json3-dev libspdlog-dev
           libyaml-cpp-dev libre2-dev libsqlite3-dev prometheus-cpp-dev libcli11-dev openssl ca-certificates"
  [test]="libgtest-dev libgmock-dev curl strace"
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
  esac
done

installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
  sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "setup: everything for ${groups[*]} is installed"
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || {
    echo "setup: these packages are missing, and there is neither root nor sudo to install them:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}
install_missing() { apt update && apt install -y --no-install-recommends "${missing[@]}" >"$log"; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "setup: installing ${#missing[@]} packages: ${missing[*]}"
started=$SECONDS
install_missing || {
  echo "setup: that failed; trying once more" >&2
  sleep 5
  install_missing || { cat "$log" >&2; echo "setup: could not install the packages above" >&2; exit 1; }
}
echo "setup: installed in $((SECONDS - started)) s"
