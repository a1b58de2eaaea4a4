/* How the doctor says and counts a finding. */
#include "doctor_say.h"

void meta_doctor_say(struct meta_doctor *d, enum meta_verdict verdict, const char *subject,
                     const char *format, ...)
{
    va_list arguments;
    d->count[verdict]++;
    va_start(arguments, format);
    d->print(d->context, verdict, subject, format, arguments);
    va_end(arguments);
}
