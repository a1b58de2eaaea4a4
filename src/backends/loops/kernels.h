/* Kernels in plain loops for every backend whose tensors are host memory. A backend's source
   includes this file once, after

       #define REAL                the type of one number
       #define AT(b, k, p, C, P)   where pixel p of channel k of image b lies in a tensor of C
                                   channels and P pixels
       #define IMAGE(s)            numbers that one image of shape s takes, padding included
       #define BLOCK(C)            channels that lie side by side in a tensor of C channels; 1: its
                                   layout is planar
       #define NAME(x)             the name x with the backend's prefix

   The reference backend uses all of these kernels; the oneDNN backend uses those for which it
   has nothing faster. tensors.h and vectors.h, included likewise, have what is no kernel. */
#include "epilogue_math.h"
#include "network/pick.h"
#include "pixels.h"

#include <stdlib.h>
#include <string.h>

#include "epilogue.h"
#include "avgpool.h"
#include "shortcut.h"
#include "route.h"
#include "pick.h"
#include "scale.h"
#include "local.h"
#include "dropout.h"
#include "planar.h"
#include "plugin_layer.h"
#include "loss.h"
#include "pairing.h"
