#!/usr/bin/env bash
# Usage: check.sh MEASURE WHAT BUDGET: fails if `MEASURE WHAT` needs more instructions than BUDGET for what it measures.
# Skipped (77) without valgrind.
set -euo pipefail
command -v valgrind >/dev/null || exit 77
counted=$(XGRAD_ISA=avx2 OMP_NUM_THREADS=1 valgrind --tool=callgrind \
  --callgrind-out-file=/dev/null --collect-atstart=no --toggle-collect='*measured*' "$1" "$2" 1 2>&1 |
  sed -n 's/.*Collected : *//p')
echo "$2: $counted instructions, $3 allowed"
[ -n "$counted" ] && [ "$counted" -gt 0 ] && [ "$counted" -le "$3" ]
