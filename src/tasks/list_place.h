/* Where an image stands in its list, for messages. */
#ifndef META_LIST_PLACE_H
#define META_LIST_PLACE_H

struct meta_list_place {
    char text[4200];
};
/* "x.list:12: ", which a message about an image begins with; "" where line is 0: the image is of a
   folder, and stands on no line. */
struct meta_list_place meta_list_place(const char *list, int line);
/* " on line 12", or "". */
struct meta_list_place meta_list_on_line(int line);
/* " of line 12 of x.list", or "". */
struct meta_list_place meta_list_of_line(const char *list, int line);

#endif
