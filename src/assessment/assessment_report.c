/* What the forms of an assessment have in common. */
#include "assessment_report.h"

#include <math.h>

const char *meta_report_lacking(const struct meta_assessment_report *r,
                                const struct meta_interval *mean)
{
    const struct meta_assessment *a = r->figures;
    if (!isnan(mean->value) || a->present + 1 != a->classes) return NULL;
    for (int k = 0; k < a->classes; k++)
        if (!a->class[k].images) return r->names[k];
    return NULL;
}
