/* Finds temporary files by the form of their names, and removes them. */
#include "leftovers.h"
#include "path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The digits that text begins with. */
static size_t digits(const char *text) { return strspn(text, "0123456789"); }

/* Whether the text is "PID" or "PID.N". */
static int is_process(const char *text)
{
    size_t n = digits(text);
    if (!n || !text[n]) return n > 0;
    const char *number = text + n + 1;
    return text[n] == '.' && digits(number) && !number[digits(number)];
}

/* Whether the name is "NAME.tmp.PID.N", or with an ending "NAME1000ENDING.tmp.PID.N". */
static int is_temporary(const char *file, const char *name, const char *ending)
{
    size_t n = strlen(name), number;
    if (strncmp(file, name, n)) return 0;
    file += n;
    if (ending) {
        n = strlen(ending);
        number = digits(file);
        if (!number || strncmp(file + number, ending, n)) return 0;
        file += number + n;
    }
    return !strncmp(file, ".tmp.", 5) && is_process(file + 5);
}

void meta_leftovers_remove(const char *path, const char *ending)
{
    const char *name = meta_path_base(path);
    char *folder = meta_path_folder(path);
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_temporary(e->d_name, name, ending)) unlinkat(dirfd(d), e->d_name, 0);
    if (d) closedir(d);
    free(folder);
}
