#!/bin/bash
# The Markdown pages: every link and every file that they name is there, README stays short, and its first screen has the two commands.
. tests/lib.sh
pages=$(git ls-files '*.md' 2>/dev/null || true)
[ -n "$pages" ] || pages=$(find . -name '*.md' -not -path './build/*' | sed 's#^\./##')

# broken PAGE...: prints "PAGE: TARGET" for each link to a file, or to a heading of the same page,
# that is missing
broken()
{
    local page target at
    for page; do
        grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//' | while read -r target; do
            case $target in
            http*://*) ;;
            \#*) grep -E '^#+ ' "$page" | tr '[:upper:]' '[:lower:]' | sed 's/^#* //; s/[^a-z0-9 -]//g; s/ /-/g' | grep -qx "${target#\#}" || echo "$page: $target" ;;
            *) at=$(dirname "$page")/${target%%#*}; [ -e "$at" ] || echo "$page: $target" ;;
            esac
        done
    done
}
# missing PAGE...: prints "PAGE: NAME" for each file of the project that a page names in backquotes
# and that is missing
missing()
{
    local page name
    for page; do
        grep -o '`[^` ]*`' "$page" | tr -d '`' | grep -E '^(src|tests|scripts|plugins|cfg|data|findings)/[A-Za-z0-9_./-]*$' | sort -u | while read -r name; do
            case $name in *NAME*|data/fashion/*) ;; *) [ -e "$name" ] || echo "$page: $name" ;; esac
        done
    done
}
none() { local found; found=$("$@"); echo "$found"; [ -z "$found" ]; }
check "every link of $(wc -w <<<"$pages") pages leads somewhere" none broken $pages
check 'every file that the pages name is there' none missing $pages
check 'README has at most 180 lines' test "$(wc -l <README.md)" -le 180
check 'README has the two commands on its first screen' test "$(head -n 30 README.md | grep -cE '^    make (demo|test) ')" -eq 2

printf '[a](none.c) [b](#no-heading) `src/none.c`\n# A heading\n[c](#a-heading) [d](page.md)\n' >"$TMP_TEST/page.md"
check 'two broken links of a page are found' test "$(broken "$TMP_TEST/page.md" | wc -l)" -eq 2
check 'a missing file that a page names is found' test "$(missing "$TMP_TEST/page.md" | wc -l)" -eq 1
