/* Comments of a .cfg that programs read: "# WORD TEXT". */
#ifndef META_NOTE_H
#define META_NOTE_H

/* What stands behind "# WORD " on a line; NULL: it is no such comment. */
const char *meta_note(const char *line, const char *word);

#endif
