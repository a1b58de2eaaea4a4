#!/bin/bash
# The tree against src/LAYERS: includes, symbols that objects take from one another, circles, and the limits of files and functions. First
# the checker itself, on a tree of its own with one fault at a time.
. tests/lib.sh
root=$PWD
layers=$root/tests/layers.py
work=$TMP_TEST/tree
mkdir -p "$work"
cd "$work" || exit 1

# low/a.h a.c, low/low_internal.h, mid/b.h b.c, high/c.c: mid stands on low, high on both
plant()
{
    rm -rf src objects plugins
    mkdir -p src/low src/mid src/high objects plugins
    printf '# who may include whom\nlow\nmid low\nhigh *\n' >src/LAYERS
    printf '#define SEVEN 7\n' >src/low/low_internal.h
    printf 'int low_a(void);\nint low_other(void);\n' >src/low/a.h
    printf '/* a */\n#include "a.h"\n#include "low_internal.h"\nint low_a(void) { return SEVEN; }\nint low_other(void) { return 1; }\n' >src/low/a.c
    printf 'int mid_b(void);\n' >src/mid/b.h
    printf '/* b */\n#include "b.h"\n#include "low/a.h"\nint mid_b(void) { return low_a(); }\n' >src/mid/b.c
    printf '/* c */\n#include "mid/b.h"\n#include "low/a.h"\nint high_c(void) { return mid_b() + low_other(); }\n' >src/high/c.c
}
compile()
{
    local file
    for file in src/*/*.c; do
        mkdir -p "objects/${file%/*}"
        gcc -Isrc -MMD -c -o "objects/${file%.c}.o" "$file" || return 1
    done
}
run() { compile && "$layers" src objects/src; }
finds() { run >said; [ $? -eq 1 ] && grep -q "$1" said && [ "$(wc -l <said)" -eq "${2:-1}" ] || { cat said; return 1; }; }

plant
check 'a tree without a fault passes' run
plant; sed -i '2i #include "mid/b.h"' src/low/a.c
check 'an include upwards is found' finds 'src/low/a.c:2: includes "mid/b.h": LAYERS does not let low stand on mid'
plant; sed -i '2i #include "low/low_internal.h"' src/mid/b.c
check "another folder's internal header is found" finds 'src/mid/b.c:2: includes "low/low_internal.h", which is for its own folder alone'
plant; sed -i '2i int low_other(void);' src/mid/b.c; sed -i '/low_other/d' src/low/a.h; sed -i 's/return low_a()/return low_a() + low_other()/' src/mid/b.c
sed -i 's/ + low_other()//' src/high/c.c
check 'a hidden extern is found' finds 'src/mid/b.o: needs low_other of low/a.o, which no header that it includes declares'
plant; sed -i '2i int mid_b(void);' src/low/a.c; sed -i 's/return 1/return mid_b()/' src/low/a.c
check 'a hidden extern to a higher folder is found, with its circle' finds 'src/low/a.o: needs mid_b of mid/b.o: LAYERS does not let low stand on mid' 3
plant; printf 'int low_d(void);\n' >src/low/d.h
printf '/* d */\n#include "d.h"\n#include "a.h"\nint low_d(void) { return low_a(); }\n' >src/low/d.c
sed -i '2i #include "d.h"' src/low/a.c; sed -i 's/return 1/return low_d()/' src/low/a.c
check 'a circle of two files is found' finds 'src/low/a.o: is in a circle of 2: low/a.o needs low_d of low/d.o; low/d.o needs low_a of low/a.o'
plant; printf 'low mid\nmid low\nhigh *\n' >src/LAYERS
check 'a circle of folders can not be written' finds 'src/LAYERS:1: low may not stand on mid: only on folders of earlier lines'
plant; sed -i '/^mid/d' src/LAYERS
check 'a folder without a line is found' finds 'src/mid/b.c: its folder has no line in LAYERS: mid' 5
plant; printf '/* x */\n' >src/x.c
check 'a file beside the folders is found' finds 'src/x.c: its folder has no line in LAYERS: files lie in folders'
plant; sed -i 's/"low\/a.h"/"..\/low\/a.h"/' src/mid/b.c
check 'a header named by way of another folder is found' finds 'src/mid/b.c:3: includes "../low/a.h": a header is named from src/ on'
plant; sed -i '1d' src/high/c.c
check 'a file that does not say what it does is found' finds 'src/high/c.c: does not begin with a comment'
plant; { printf '\nint low_long(void)\n{\n'; for i in {1..59}; do echo "    (void)$i;"; done; printf '    return 0;\n}\n'; } >>src/low/a.c
check 'a function of 62 lines is found' finds 'src/low/a.c:[0-9]*: low_long has 62 lines: at most 60'
plant; printf '\nint low_wide(int a, int b, int (*c)(int, int), int d, int e, int f)\n{\n    return 0;\n}\n' >>src/low/a.c
check 'a function of six parameters passes, those of a parameter not counted' run
sed -i 's/int f)/int f, int g)/' src/low/a.c
check 'a function of seven parameters is found' finds 'src/low/a.c:[0-9]*: low_wide has 7 parameters: at most 6'
plant; for i in {1..400}; do echo '/* more */'; done >>src/mid/b.h
check 'a file of 401 lines is found' finds 'src/mid/b.h: has 401 lines: at most 400'

plant; printf '/* %0100d */\n' 0 >>src/mid/b.h
check 'a line of 106 columns is found' finds 'src/mid/b.h:2: has 106 columns: at most 100'

cd "$root" || exit 1
check 'src/ keeps to src/LAYERS' "$layers" src "$BUILD/src"
long() { find plugins scripts tests -name '*.[ch]' -o -name '*.cpp' -o -name '*.sh' -o -name '*.py' | xargs awk 'FNR == 451 { print FILENAME }'; }
check 'no file of plugins, scripts and tests has more than 450 lines' test -z "$(long)"
