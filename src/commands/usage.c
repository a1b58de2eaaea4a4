/* The table of the verbs, and what `darknet meta -h` prints of them. */
#include "usage.h"

#include <stdio.h>

const struct meta_verb meta_verbs[] = {
    { "lists", "FOLDER|CSV OUT",
      "writes a .data file, lists, labels and groups of a folder of classes, or of a CSV",
      meta_command_lists },
    { "train", "DATA CFG [WEIGHTS]", "meta-trains on the train list of DATA", meta_command_train },
    { "pretrain", "DATA CFG [WEIGHTS]",
      "trains a classifier of the train list's classes, as Darknet does", meta_command_pretrain },
    { "test", "DATA CFG [WEIGHTS]", "adapts to rare classes from few images of the test list: AUC",
      meta_command_test },
    { "calibrate", "DATA CFG WEIGHTS",
      "learns on tasks of the valid list how sure the answers of adapted weights may be",
      meta_command_calibrate },
    { "adapt", "DATA|FOLDER|CSV CFG WEIGHTS -out NAME",
      "adapts to few labelled images, of DATA's train list, of a folder or of a CSV: a .cfg and "
      ".weights for any Darknet",
      meta_command_adapt },
    { "predict", "CFG WEIGHTS DATA IMAGE|LIST|FOLDER...",
      "class probabilities of images, and where in them they come from", meta_command_predict },
    { "evaluate", "CFG WEIGHTS DATA|FOLDER|CSV",
      "how good a classifier is on labelled images: AUC, sensitivity, calibration, with intervals",
      meta_command_evaluate },
    { "features", "CFG WEIGHTS DATA|IMAGE|... -out F.npy",
      "what a layer gives for images, for NumPy", meta_command_features },
    { "export", "CFG WEIGHTS [DATA] -onnx FILE",
      "writes a classifier as ONNX, for OpenCV 5, onnxruntime and others", meta_command_export },
    { "compare", "A.json B.json", "pairs two results of test, task by task", meta_command_compare },
    { "table", "FILE -out DIR", "trains and tests what a table of results lacks",
      meta_command_table },
    { "report", "DIR [-out FILE.html|-markdown]",
      "makes a page, or Markdown, of what table left in DIR", meta_command_report },
    { "grad", "DATA CFG WEIGHTS -episode FILE -out FILE", "writes the meta-gradient of one task",
      meta_command_grad },
    { "check", "CFG", "checks every derivative of a network on random data", meta_command_check },
    { "bench", "CFG|CFG -ranks|-sweep",
      "measures speed and memory against the machine's peak and the stock library",
      meta_command_bench },
    { "doctor", "[train|pretrain|adapt] DATA CFG [WEIGHTS] | predict CFG WEIGHTS DATA IMAGE...",
      "looks at everything a run needs: what is wrong, how to mend it, memory and hours",
      meta_command_doctor },
    { "stock", "CFG", "writes the .cfg as stock Darknet reads it", meta_command_stock },
    { "version", "", "prints the program's version", meta_command_version },
    { "help", "[SECTION]...", "prints the options of the .cfg's sections", meta_command_help },
    { NULL, NULL, NULL, NULL }
};

void meta_print_verbs(void)
{
    printf("usage: darknet meta VERB ...\n\n");
    for (const struct meta_verb *v = meta_verbs; v->name; v++) {
        int n = printf("    %s %s", v->name, v->arguments);
        printf("%*s%s\n", n < 52 ? 52 - n : 2, "", v->summary);
    }
    printf("\n    darknet meta VERB -h    the flags of one\n");
}
