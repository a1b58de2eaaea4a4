/* Text in a table of Markdown is shown as it is. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include "paper/report/markdown_text.h"

static void text_is_escaped(void **state)
{
    static const char *const known[][2] = {
        { "MAML, 5 steps (a-b)", "MAML, 5 steps (a-b)" },
        { "A*B|C_d [e](f) <g> `h` \\", "A\\*B\\|C\\_d \\[e\\](f) \\<g\\> \\`h\\` \\\\" },
        { "a & b && c &", "a & b && c &" }, /* no entity */
        { "a &lt; b &#65; &nbsp;", "a &amp;lt; b &amp;#65; &amp;nbsp;" },
        { "~~struck~~", "\\~\\~struck\\~\\~" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *text;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        meta_markdown_text(f, known[i][0]);
        fclose(f);
        assert_string_equal(text, known[i][1]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(text_is_escaped) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
