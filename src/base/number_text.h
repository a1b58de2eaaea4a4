/* Numbers as text that reads back as they were. */
#ifndef META_NUMBER_TEXT_H
#define META_NUMBER_TEXT_H

#define META_NUMBER_TEXT 32 /* room for a number as text */
/* Writes the fewest digits that read back as the same number; returns text. */
char *meta_number_text(double x, char text[META_NUMBER_TEXT]);

#endif
