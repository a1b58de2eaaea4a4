/* Student's t, exactly. */
#ifndef META_STUDENT_H
#define META_STUDENT_H

/* The 97.5% point of Student's t of `degrees` >= 1 degrees of freedom, to rounding. */
double meta_student_point(int degrees);

#endif
