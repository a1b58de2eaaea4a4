/* What a file of JSON must be like: rules for its members, which are checked before anything is
   read of it. */
#ifndef META_JSON_CHECK_H
#define META_JSON_CHECK_H

#include "json.h"

enum meta_json_kind {
    META_JSON_TEXT,
    META_JSON_DIGEST, /* a text as meta_digest_text (digest.h) writes it */
    META_JSON_NUMBER,
    META_JSON_WHOLE
};

/* Whether a member may be missing where the object is there that it belongs to, or be null. */
enum { META_JSON_NEEDED = 1, META_JSON_OR_NULL = 2 };

/* A rule for every value that `where` leads to: members' names with dots between them, [] for each
   item of an array, and "list*" for every member whose name begins with "list", as in
   "tasks[].auc_after". What stands before a dot must be an object, what stands before [] an array,
   where they are there. */
struct meta_json_rule {
    const char *where; /* NULL: behind the last rule */
    enum meta_json_kind kind;
    double least, most; /* of numbers, which must be finite; -INFINITY, INFINITY: no bound */
    int flags;
};

/* Fails where a value is not what a rule says: "r.json: tasks[3].auc_after is 7.5: must be a
   number, 0 to 1". Members that no rule names may be anything. */
int meta_json_check(const cJSON *root, const char *path, const struct meta_json_rule *rules,
                    struct meta_error *);
/* Reads a file and checks it. The caller deletes *root; after a failure there is none. */
int meta_json_read_checked(cJSON **root, const char *path, const struct meta_json_rule *rules,
                           struct meta_error *);

#endif
