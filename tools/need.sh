#!/usr/bin/env bash
# Puts in place what the tests and benchmarks need beside Go: Debian packages by
# name. On anything that is not Debian, or without root and sudo, it says what
# to install and fails; nothing is skipped.
#
#   tools/need.sh test     PostgreSQL for the store, a C compiler for -race, a
#                          browser with node and npm (axe-core) for the pages
#   tools/need.sh e2e      the same, for other people's programs
#   tools/need.sh bench    wrk as well
set -euo pipefail

# Debian keeps the server's programs off PATH, in a directory for each version.
have_postgres() {
	local dir
	for dir in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null || true)"; do
		[ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && return 0
	done
	return 1
}

packages=()
want() { command -v "$1" >/dev/null || packages+=("${@:2}"); }

case "${1:-test}" in
test | e2e) want chromium chromium ;;
bench) want wrk wrk ;;
*)
	echo "usage: tools/need.sh [test|e2e|bench]" >&2
	exit 2
	;;
esac
# Debian keeps nginx off PATH as well.
[ "${1:-test}" != e2e ] || [ -x /usr/sbin/nginx ] || want nginx nginx
have_postgres || packages+=(postgresql)
want node nodejs
want npm npm
want sqlite3 sqlite3 # makes the backup that a document shows
want python3 python3 # runs an example that the console shows
want curl curl ca-certificates
want git git
want gcc gcc libc6-dev # the race detector needs it, the product does not

[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || { [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; }; then
	echo "Missing: ${packages[*]} (Debian's names). Install them, for example:" >&2
	echo "    sudo apt-get install ${packages[*]}" >&2
	echo "and run this again." >&2
	exit 1
fi

echo "installing: ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q >&2
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${packages[@]}" >&2
