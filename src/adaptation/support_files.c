/* Writes and reads the comments of a .cfg that name the files that it was adapted to. */
#include "support_files.h"
#include "base/lines.h"
#include "base/note.h"
#include "images/image_place.h"

#include <stdlib.h>
#include <string.h>

static const char word[] = "support";

void meta_support_files_note(FILE *f, const struct meta_dataset *set)
{
    char text[META_DIGEST_TEXT];
    for (int i = 0; i < set->count; i++) {
        meta_digest_text(text, set->digests[i]);
        fprintf(f, "\n%s %s", word, text);
    }
}

int meta_support_files_read(struct meta_digest **out, int *count, const char *cfg,
                            struct meta_error *error)
{
    struct meta_lines lines;
    if (meta_lines_read(&lines, cfg, error)) return -1;
    struct meta_digest *all = malloc(((size_t)lines.count + 1) * sizeof *all);
    *count = 0;
    for (int i = 0; all && i < lines.count; i++) {
        const char *note = meta_note(lines.line[i], word);
        if (note && !meta_digest_parse(&all[*count], note)) ++*count;
    }
    meta_lines_free(&lines);
    if (!all) return meta_fail_memory_for(error, cfg);
    qsort(all, (size_t)*count, sizeof *all, meta_digest_order);
    *out = all;
    return 0;
}

int meta_support_files_has(const struct meta_digest *all, int count, struct meta_digest one)
{
    one.bytes = 0;
    return bsearch(&one, all, (size_t)count, sizeof *all, meta_digest_order) != NULL;
}

static int by_file(const void *a, const void *b) { return meta_image_file_order(a, b); }

int meta_support_files_has_file(const struct meta_digest *all, int count, struct meta_digest one)
{
    one.bytes = 0;
    return bsearch(&one, all, (size_t)count, sizeof *all, by_file) != NULL;
}
