#!/bin/bash
# make lint: cppcheck and clang-tidy over compile_commands.json. Ends with 1 when either has something to say. What is left out, and why, is in
# tests/lint/cppcheck.txt, in .clang-tidy, and beside the lines that a NOLINT or cppcheck-suppress names.
set -u
cd "$(dirname "$0")/../.." || exit 1
for tool in cppcheck clang-tidy; do
    command -v $tool >/dev/null || { echo "make lint: $tool is not installed: apt-get install cppcheck clang-tidy" >&2; exit 1; }
done
status=0
cores=$(nproc)
cppcheck --project=compile_commands.json --enable=warning,performance,portability --inline-suppr --suppressions-list=tests/lint/cppcheck.txt \
    -D__GNUC__=12 '-DElfW(type)=Elf64_##type' '-DcJSON_ArrayForEach(e,a)=for(e=(a)->child;e;e=e->next)' --error-exitcode=1 --quiet -j"$cores" --template='{file}:{line}: {id}: {message}' || status=1
find src plugins -name '*.c' -o -name '*.cpp' | grep -v fused_kernels.c | sort |
    xargs -n 4 -P "$cores" clang-tidy -p . --quiet 2>/dev/null | grep -E ': (error|warning): ' && status=1
[ $status -ne 0 ] || echo 'nothing found'
exit $status
