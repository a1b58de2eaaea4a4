/* Writes text, rows and intervals as HTML. */
#include "html.h"

void meta_html_text(FILE *f, const char *text)
{
    for (; *text; text++) switch (*text) {
        case '&': fputs("&amp;", f); break;
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '"': fputs("&quot;", f); break;
        case '\'': fputs("&#39;", f); break;
        default: fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
        }
}

void meta_html_row(FILE *f, const char *label)
{
    fputs("<tr><th scope=\"row\">", f);
    meta_html_text(f, label);
    fputs("</th>", f);
}

void meta_html_close_table(FILE *f) { fputs("</tbody></table></div>\n", f); }

void meta_html_interval(FILE *f, double low, double high)
{
    fprintf(f, " <span class=\"interval\">%.2f&ndash;%.2f</span>", 100 * low, 100 * high);
}
