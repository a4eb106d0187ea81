#!/usr/bin/env bash
# Usage: benches/all.sh TMPFS DISK > tables.md
#
# Everything that docs/BENCHMARKS.md shows, in Markdown: all workloads in the directory TMPFS and in DISK, how time
# grows, and the peers. Nothing else may run meanwhile.
#
# - $FARM_STOW is the stow to compare with, $FARM_PEERS the directory that .ci/get-peers filled.
# - $FARM_ROUNDS is the number of rounds for a large workload (11).
set -euo pipefail
tmpfs=${1:?usage: all.sh TMPFS DISK} disk=${2:?usage: all.sh TMPFS DISK}
here=$(cd "$(dirname "$0")/.." && pwd)
[[ -z ${FARM_PEERS-} ]] || PATH=$PATH:$FARM_PEERS/bin:$FARM_PEERS/venv/bin

# The system calls of long runs are counted once only: they are the same everywhere, and counting takes minutes.
export FARM_COUNTED_BELOW=2000

# bench TITLE DIRECTORY ROUNDS SECONDS WORDS: one part.
bench() {
  printf '\n# %s\n' "$1"
  echo "all.sh: $1" >&2
  FARM_BENCH_DIR=$2 FARM_ROUNDS=$3 FARM_SECONDS=$4 \
    cargo bench --quiet --manifest-path "$here/Cargo.toml" --bench whole -- "${@:5}"
}

printf '%s; Linux %s; %s cores\n' "$(date +%F)" "$(uname -r)" "$(nproc)"
bench "All workloads, $(stat -f -c %T "$tmpfs")" "$tmpfs" "${FARM_ROUNDS:-11}" 1
FARM_COUNTED_BELOW=100
bench "All workloads, $(stat -f -c %T "$disk")" "$disk" "${FARM_ROUNDS:-11}" 1
bench "Growth, $(stat -f -c %T "$tmpfs")" "$tmpfs" 1 1 growth
bench "Peers, $(stat -f -c %T "$tmpfs")" "$tmpfs" 1 1 peers
