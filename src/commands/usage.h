/* What `darknet meta` says of itself: the verbs, and every section's options from their tables. */
#ifndef META_USAGE_H
#define META_USAGE_H

struct meta_verb { const char *name, *arguments, *summary; int (*run)(int argc, char **argv); };
extern const struct meta_verb meta_verbs[];                  /* the last one has no name */

/* A line a verb, to standard output. */
void meta_print_verbs(void);

/* `darknet meta help [SECTION]...`: each section, or those named, with its options: name, type, default, least, most, help. */
int meta_command_help(int argc, char **argv);

#endif
