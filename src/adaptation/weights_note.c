/* Holds a .weights against the comment of its .cfg. */
#include "weights_note.h"
#include "base/digest.h"
#include "base/note.h"
#include "base/path.h"
#include "network/export.h"
#include "own_files.h"
#include "tasks/file_id.h"

#include <stdlib.h>
#include <unistd.h>

/* The digest that the .cfg has; -1: none. Comments of other .cfg files are people's. */
static int read_note(struct meta_digest *digest, const char *cfg)
{
    struct meta_lines lines;
    struct meta_error ignored;
    int status = -1;
    if (meta_lines_read(&lines, cfg, &ignored)) return -1;
    int count = lines.count && meta_own_line(lines.line[0]) ? lines.count : 0;
    for (int i = 0; status && i < count; i++) {
        const char *note = meta_note(lines.line[i], META_WEIGHTS_NOTE);
        if (note) status = meta_digest_parse(digest, note);
    }
    meta_lines_free(&lines);
    return status;
}

/* Whether the .cfg has the digest of another file. One that can't be read is none. */
static int is_other(const char *cfg, const char *weights)
{
    struct meta_digest own, noted;
    struct meta_error ignored;
    if (read_note(&noted, cfg) || meta_digest_file(&own, weights, &ignored)) return 0;
    own.bytes = 0; /* which the comment doesn't have */
    return !meta_digest_equal(own, noted);
}

static int check(const char *cfg, const char *weights, struct meta_error *why)
{
    if (!is_other(cfg, weights)) return 0;
    return meta_fail(why,
                     "%s: is not the file that %s was written with: the classes named there may be "
                     "another network's",
                     weights, cfg);
}

int meta_weights_note_check(const struct meta_class_files *files, int i, struct meta_error *why)
{
    const char *weights = files->weights[i];
    char *beside = meta_path_beside(weights, ".cfg");
    int status = 0;
    if (beside && !access(beside, R_OK)) status = check(beside, weights, why);
    else if (beside && files->count == 1) status = check(files->cfg, weights, why);
    free(beside);
    return status;
}

int meta_weights_note_own(const char *cfg, const char *weights, struct meta_error *error)
{
    char *beside = meta_path_beside(cfg, ".weights");
    if (!beside) return meta_fail_memory(error);
    int same = meta_file_id_same(beside, weights);
    free(beside);
    if (!same || !is_other(cfg, weights)) return 0;
    return meta_fail(error,
                     "%s: is not the file that %s was written with: must be that file, weights of "
                     "another name, or a .cfg without its comment \"" META_WEIGHTS_NOTE "\"",
                     weights, cfg);
}
