/* Student's t. */
#ifndef META_STUDENT_H
#define META_STUDENT_H

/* The 97.5% point of Student's t of `degrees` >= 1 degrees of freedom. Its relative error is 1e-12,
   and 1e-9 for millions. */
double meta_student_point(int degrees);

#endif
