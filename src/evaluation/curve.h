/* The epochs at which the curve of a method that trains in a task has a point: 0, before any epoch,
   and then 25 evenly spaced ones, or every one of fewer. */
#ifndef META_CURVE_H
#define META_CURVE_H

int meta_curve_points(int epochs);
int meta_curve_epoch(int epochs, int point);

#endif
