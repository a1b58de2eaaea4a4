/* The flags that Darknet's users give to every command. */
#ifndef META_DARKNET_FLAGS_H
#define META_DARKNET_FLAGS_H

/* Takes -i N, -gpus LIST, -nogpu and -dont_show out of the words from argv[1] on, wherever they
   stand, and returns how many words are left with argv[0]; the array then ends with NULL. Where the
   command is not `meta`, nothing is taken. Says in a line on standard error that they change
   nothing here; a flag without the value that it needs is one line there, and exit 1. */
int meta_darknet_flags(int argc, char **argv);

#endif
