/* Writes what stands around the sections of a page. */
#include "html_page.h"
#include "base/head.h"
#include "html.h"
#include "page_css.h"

static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, "
                           "initial-scale=1\">\n"
                           "<meta name=\"color-scheme\" content=\"light dark\">\n";

/* Stands behind that: whose page it is, and the title. */
#define VERB "<meta name=\"generator\" content=\"darknet meta %s\">\n"
static const char open_title[] = "<title>";

/* Stands behind the title and behind the style sheet. */
static const char style[] = "</title>\n<style>\n", body[] = "</style></head>\n<body><main>\n<h1>";

void meta_html_page_begin(FILE *f, const char *verb, const char *title)
{
    fputs(head, f);
    fprintf(f, VERB, verb);
    fputs(open_title, f);
    meta_html_text(f, title);
    fputs(style, f);
    fputs(meta_page_css, f);
    fputs(body, f);
    meta_html_text(f, title);
    fputs("</h1>\n", f);
}

int meta_html_page_is(const char *path, const char *verb)
{
    char begin[META_HEAD_MOST], own[100] = "";
    if (verb) snprintf(own, sizeof own, VERB, verb);
    snprintf(begin, sizeof begin, "%s%s", head, verb ? own : open_title);
    return meta_head_is(path, begin);
}

void meta_html_page_end(FILE *f) { fputs("</main></body></html>\n", f); }
