# make help lists the targets and the switches: the lines with two hashes.
#
# BUILD is where objects go and BIN where what is built goes. test, demo and bench install the packages that are missing;
# the rest names them. scripts/install-deps.sh says what each package is for.
## DEBUG=1                      build with -O0
## DARKNET=DIR                  build against a Darknet checkout of the same ABI instead of the package
## NAMES="test_pool train_run"  the tests that make test, asan, ubsan, tsan and valgrind run: all without it
## BENCH="CFG FLAG..."          what make bench hands to scripts/bench.py
## V=1                          show the commands of the build
## PREFIX=DIR DESTDIR=DIR       where make install writes (/usr/local)
DEBUG   ?= 0
DARKNET ?= /usr/lib/darknet
BUILD   ?= build/release
BIN     ?= .
VARIANT ?= release
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC = gcc
endif
ifeq ($(origin CXX),default)
CXX = g++
endif
MAKEFLAGS += --no-builtin-rules

# A build says "CC src/base/pool.c"; V=1 shows the commands
V ?= 0
silent := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
show = $(if $(filter 0,$(V)),@$(if $(silent),,printf '  %-7s %s\n' $(1) '$(2)';) )

# Darknet's own switches, where they can't be what they are there
ifneq ($(filter-out 0,$(GPU) $(CUDNN)),)
$(error GPU and CUDNN: this build has no CUDA backend; convolutions run on oneDNN: leave them out or at 0)
endif
ifeq ($(OPENCV),0)
$(error OPENCV=0: images are read and warped by OpenCV, which this program can't do without: leave it out or at 1)
endif
ifneq ($(filter-out 0,$(OPENMP)),)
$(error OPENMP=$(OPENMP): tasks run in parallel on pthreads, as many as -threads says: leave it out or at 0)
endif
ifneq ($(filter-out 0 1,$(DEBUG)),)
$(error DEBUG=$(DEBUG): must be 0 or 1)
endif

# What the compiler needs, asked before it fails on a header: not where the goal installs it, nor for make clean
ifneq ($(filter-out clean uninstall help test demo bench asan ubsan tsan valgrind fuzz,$(or $(MAKECMDGOALS),all)),)
MISSING := $(shell scripts/install-deps.sh --missing $(if $(filter-out /usr/lib/darknet,$(DARKNET)),--no-darknet))
ifneq ($(MISSING),)
$(error missing packages: $(MISSING): scripts/install-deps.sh installs them)
endif
endif

# A checkout whose darknet.h the host can't be compiled with is told in one line, not by the compiler's pages
ifneq ($(filter-out clean uninstall help,$(or $(MAKECMDGOALS),all)),)
ifneq ($(filter-out /usr/lib/darknet,$(DARKNET)),)
ifeq ($(wildcard $(DARKNET)/include/darknet.h),)
$(error DARKNET=$(DARKNET): has no include/darknet.h: must be a checkout of Darknet, or of one with the same ABI)
endif
OTHER_ABI := $(shell LC_ALL=C $(CC) -std=gnu11 -Isrc -I$(DARKNET)/include -fsyntax-only src/host/host.c src/host/host_layer.c \
               src/host/libdarknet.c 2>&1 | grep -m1 error:)
ifneq ($(OTHER_ABI),)
$(error DARKNET=$(DARKNET): its include/darknet.h is of another ABI than Debian's package (pjreddie's Darknet), which this program \
        stands on; the first thing missed: $(OTHER_ABI))
endif
endif
endif

OPTIMISE = -O2
ifeq ($(DEBUG),1)
OPTIMISE = -O0
endif
WARN      = -Wall -Wextra -Wshadow -Wvla -Wno-unused-parameter -Werror=implicit-function-declaration
SANITIZE ?=
COMMON   := $(OPTIMISE) -g -fPIC -fvisibility=hidden -fno-math-errno -pthread $(SANITIZE)
ALL_CFLAGS   := -std=gnu11 $(COMMON) $(WARN) $(CFLAGS)
ALL_CXXFLAGS := -std=c++17 $(COMMON) -Wall -Wextra $(CXXFLAGS)
ALL_CPPFLAGS := -Isrc -I$(DARKNET)/include $(shell pkg-config --cflags opencv4 libcjson libopenjp2 2>/dev/null) $(CPPFLAGS)
ALL_LDFLAGS  := -pthread $(SANITIZE) $(LDFLAGS)
LDLIBS       := -lstdc++ -ljpeg -lpng -ldnnl -lcjson -lxxhash -lz -lgomp -ldl -lm
# The program opens libdarknet.so where it needs it, and the loader finds it there; only the unit tests are linked to it
FIND_DARKNET := -Wl,-rpath,$(abspath $(DARKNET))
OPENCV_LIBS  := -lopencv_imgcodecs -lopencv_ml -lopencv_features2d -lopencv_flann -lopencv_imgproc -lopencv_core

# PER_ISA are compiled once an instruction set and chosen at run time: nothing else may use more than plain x86-64.
# GCC 12 stores vectors of 64 bytes in ASan's fake stack as if it were aligned to them (GCC bug 110027), hence the --param
ISAS         = base avx2 avx512
FUSED        = src/backends/fused/fused_kernels src/backends/fused/fused_optimiser
TILES        = src/backends/winograd/winograd_kernels
PER_ISA      = $(foreach isa,$(ISAS),$(FUSED:%=%_$(isa))) $(TILES)_avx2 $(TILES)_avx512
FLAGS_base   =
FLAGS_avx2   = -mavx2 -mfma
FLAGS_avx512 = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512 \
               $(if $(findstring clang,$(CC)),,$(if $(findstring address,$(SANITIZE)),--param asan-use-after-return=0))

SOURCES = $(filter-out $(FUSED:%=%.c) $(TILES).c %_mpi.c %_codec.c %_main.c,$(sort $(shell find src -name '*.c')))
CXX_SOURCES = $(sort $(shell find src -name '*.cpp'))
# What is C++ and ends in _opencv is OpenCV's part, a shared object of its own
OPENCV_OBJECTS = $(patsubst %.cpp,$(BUILD)/%.o,$(filter %_opencv.cpp,$(CXX_SOURCES))) $(BUILD)/src/base/error.o
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o) $(patsubst %.cpp,$(BUILD)/%.o,$(filter-out %_opencv.cpp %_dicom.cpp %_onnx.cpp,$(CXX_SOURCES))) \
          $(PER_ISA:%=$(BUILD)/%.o) $(BUILD)/src/paper/report/page_css.o
OPENCV_PART    = libdarknet-meta-opencv.so
# Codecs of images are another, and DICOM's a third, which is built where DCMTK's headers are
CODEC_SOURCES  = $(sort $(shell find src -name '*_codec.c'))
FOR_IMAGES     = $(BUILD)/src/base/error.o $(BUILD)/src/images/image_bounds.o
CODECS_OBJECTS = $(CODEC_SOURCES:%.c=$(BUILD)/%.o) $(FOR_IMAGES) $(BUILD)/src/images/image_orientation.o
CODECS_PART    = libdarknet-meta-codecs.so
CODECS_LIBS    = -ltiff -lwebp -lopenjp2
# Both are opened by a program of its own, which decodes what is sent to it
DECODER         = darknet-meta-decoder
DECODER_OBJECTS = $(BUILD)/src/images/image_decoder_main.o $(BUILD)/src/images/image_wire.o $(BUILD)/src/base/error.o $(BUILD)/src/base/path.o $(BUILD)/src/base/place.o
DCMTK          = $(shell pkg-config --modversion dcmtk 2>/dev/null)
DICOM_OBJECTS  = $(BUILD)/src/images/image_dicom.o $(FOR_IMAGES)
DICOM_PART     = $(if $(DCMTK),libdarknet-meta-dicom.so)
DICOM_LIBS     = -ldcmjpls -ldcmjpeg -ldcmimage -ldcmimgle -ldcmdata -loflog -lofstd
$(BUILD)/src/images/image_version.o: ALL_CPPFLAGS += -DMETA_DCMTK='"$(or $(DCMTK),none)"'
# Ranks by MPI, a shared object of its own: it is built where Open MPI's headers are
MPI_PART     = $(if $(shell pkg-config --exists mpi-c 2>/dev/null && echo yes),libdarknet-meta-mpi.so)
MPI_SOURCES  = $(sort $(shell find src -name '*_mpi.c'))
MPI_OBJECTS  = $(MPI_SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/src/base/error.o
MPI_CFLAGS   = $(shell pkg-config --cflags mpi-c 2>/dev/null)
$(MPI_SOURCES:%.c=$(BUILD)/%.o): ALL_CPPFLAGS += $(MPI_CFLAGS)
# Files of ONNX by the library onnx, a shared object of its own: it is built where its headers are
ONNX_FLAGS   = -DONNX_NAMESPACE=onnx -DONNX_ML=1
ONNX_PART    = $(if $(shell printf '\043if __has_include(<onnx/checker.h>) && __has_include(<google/protobuf/message.h>)\nyes\n\043endif\n' | $(CXX) $(CPPFLAGS) -E -P -x c++ - 2>/dev/null),libdarknet-meta-onnx.so)
ONNX_OBJECTS = $(BUILD)/src/onnx/model_onnx.o $(BUILD)/src/base/error.o
$(BUILD)/src/onnx/model_onnx.o: ALL_CPPFLAGS += $(ONNX_FLAGS)
# The program's alone: main, and what it puts in the place of functions of libc
HOOKS        = posix_memalign mmap
PROGRAM_ONLY = $(BUILD)/src/commands/main.o $(BUILD)/src/commands/memory_hooks.o
# What the unit tests link, whole: libdarknet's calls must find our functions too
LIBRARY = $(BUILD)/libmeta.a
PLUGINS = $(filter-out template,$(patsubst plugins/%/,%,$(sort $(dir $(wildcard plugins/*/*.c)))))
TESTS   = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
FLAGS   = $(BUILD)/flags

VERSION := $(shell awk '/define DARKNET_META_VERSION_(MAJOR|MINOR|PATCH) / { printf "%s%s", n++ ? "." : "", $$3 }' src/adaptation/darknet_meta.h)
SONAME  := libdarknet-meta.so.$(firstword $(subst ., ,$(VERSION)))

all: $(BIN)/darknet $(BIN)/$(OPENCV_PART) $(BIN)/$(CODECS_PART) $(DICOM_PART:%=$(BIN)/%) $(BIN)/$(DECODER) $(MPI_PART:%=$(BIN)/%) $(ONNX_PART:%=$(BIN)/%) $(BIN)/libdarknet-meta.so $(BIN)/libdarknet-meta-host.so $(PLUGINS:%=$(BIN)/plugins/%.so) $(BUILD)/idx_images ## ./darknet, its plugins and its libraries

# libdarknet's calls of what host.c defines find it in the program
$(BIN)/darknet: $(OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) $(ALL_LDFLAGS) -Wl,--export-dynamic-symbol=parse_network_cfg -Wl,--export-dynamic-symbol=resize_network $(HOOKS:%=-Wl,--export-dynamic-symbol=%) $(FIND_DARKNET) -o $@ $(filter %.o,$^) $(LDLIBS)

# What the program, and libdarknet-meta.so, open when they read the first image: OpenCV links some 260 libraries
$(BIN)/$(OPENCV_PART): $(OPENCV_OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CXX) -shared $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(OPENCV_LIBS)

# What decodes TIFF, WebP and JPEG 2000 files, and DICOM files: both start it when they meet the first one. ASan must see
# the C++ library before it is opened, to let exceptions pass
$(BIN)/$(DECODER): $(DECODER_OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(if $(SANITIZE),-lstdc++) -ldl
$(BIN)/$(CODECS_PART): $(CODECS_OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) -shared $(ALL_LDFLAGS) $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(filter %.o,$^) $(CODECS_LIBS)
ifneq ($(DICOM_PART),)
$(BIN)/$(DICOM_PART): $(DICOM_OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CXX) -shared $(ALL_LDFLAGS) $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(filter %.o,$^) $(DICOM_LIBS)
else
all: no-dicom
no-dicom:
	@echo 'no DICOM: libdarknet-meta-dicom.so is built where libdcmtk-dev is installed'
endif

# What the program opens when mpirun has started it
ifneq ($(MPI_PART),)
$(BIN)/$(MPI_PART): $(MPI_OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) -shared $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(shell pkg-config --libs mpi-c 2>/dev/null)
endif

# What the program opens when a network is written as ONNX
ifneq ($(ONNX_PART),)
$(BIN)/$(ONNX_PART): $(ONNX_OBJECTS) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CXX) -shared $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -lonnx -lonnx_proto -lprotobuf
endif

# What LD_PRELOAD loads into another program that uses libdarknet: the parser and what it needs, not even libdarknet itself
HOST = base/c_locale base/error base/file base/lines base/one_line base/path base/place base/plugin_call base/rng base/shared_object config/cfg config/options config/plugin_table config/plugins config/sections config/sections_maps host/guard_options host/guard_shapes host/host host/host_layer host/libdarknet
$(BIN)/libdarknet-meta-host.so: $(HOST:%=$(BUILD)/src/%.o) $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) -shared $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -ldl

# For programs of others: what src/adaptation/darknet_meta*.c need of us, and of libraries no more than that. Plugins stay loaded for good, and so must it
EXPORTING = $(BUILD)/src/adaptation/darknet_meta.o $(BUILD)/src/adaptation/darknet_meta_features.o $(BUILD)/src/adaptation/darknet_meta_auc.o
$(BIN)/$(SONAME): $(EXPORTING) $(LIBRARY) src/adaptation/darknet_meta.map $(FLAGS)
	@mkdir -p $(@D)
	$(call show,LINK,$@)$(CC) -shared $(ALL_LDFLAGS) -Wl,-soname,$(SONAME) -Wl,--version-script,src/adaptation/darknet_meta.map -Wl,-z,nodelete -Wl,--as-needed \
		$(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(EXPORTING) $(LIBRARY) $(LDLIBS)
$(BIN)/libdarknet-meta.so: $(BIN)/$(SONAME)
	@ln -sf $(SONAME) $@

# A plugin includes plugin.h and nothing else of the project
define plugin
$(BIN)/plugins/$(1).so: $(wildcard plugins/$(1)/*.[ch]) plugins/plugin.h $(FLAGS)
	@mkdir -p $$(@D)
	$$(call show,PLUGIN,$$@)$$(CC) $$(ALL_CFLAGS) -Iplugins -shared $$(ALL_LDFLAGS) -o $$@ $$(filter %.c,$$^) -lm
endef
$(foreach name,$(PLUGINS),$(eval $(call plugin,$(name))))

$(BUILD)/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.cpp $(FLAGS)
	@mkdir -p $(@D)
	$(call show,CXX,$<)$(CXX) $(ALL_CPPFLAGS) $(ALL_CXXFLAGS) -MMD -MP -c -o $@ $<
# object, source, instruction set
define per_isa
$(BUILD)/$(1).o: $(2).c $(FLAGS)
	@mkdir -p $$(@D)
	$$(call show,CC,$$< ($(3)))$$(CC) $$(ALL_CPPFLAGS) $$(ALL_CFLAGS) -O3 $$(FLAGS_$(3)) $$(UNCHECKED) -DISA=$(3) -MMD -MP -c -o $$@ $$<
endef
$(foreach o,$(PER_ISA),$(eval $(call per_isa,$(o),$(o:_$(lastword $(subst _, ,$(o)))=),$(lastword $(subst _, ,$(o))))))
# The bits of an update do not depend on the instruction set
$(ISAS:%=$(BUILD)/src/backends/fused/fused_optimiser_%.o): ALL_CFLAGS += -ffp-contract=off

# No parser comes here, and clang takes minutes to instrument these loops
UNCHECKED = $(if $(findstring fuzzer,$(SANITIZE)),-fno-sanitize=all)

# The double-precision loops are all that `meta grad` and `meta check` wait for
$(BUILD)/src/backends/reference/reference.o: ALL_CFLAGS += $(if $(filter 0,$(DEBUG)),-O3)

# What reads files of others: no number changes there on its way from one type to another without a word
PARSERS = base/csv base/digest base/file base/json base/json_check base/lines base/utf8 commands/flags config/cfg \
          config/net_section config/options config/sections config/sections_maps config/stock_cfg config/training_keys \
          evaluation/json_files evaluation/scores images/image_bmp images/image_codecs images/image_decoder images/image_decoder_main images/image_format images/image_jp2_codec images/image_jpeg images/image_kind \
          images/image_place images/image_read images/image_tiff_codec images/image_webp_codec learning/rates_file network/weights paper/report/report_data paper/table/table_images paper/table/table_read \
          stats/estimate_json stats/roc tasks/class_names tasks/data_file tasks/groups tasks/task_file \
          training/checkpoint training/fingerprint training/train_log training/trainer_resume
$(PARSERS:%=$(BUILD)/src/%.o): ALL_CFLAGS += -Wconversion

# The decoder of scripts/fashion-mnist.sh
$(BUILD)/idx_images: scripts/idx_images.c $(FLAGS)
	@mkdir -p $(@D)
	$(call show,CC,$<)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -lz

# The style sheet of the report's page as a C string, a literal a line
$(BUILD)/src/paper/report/page_css.c: src/paper/report/page.css
	@mkdir -p $(@D)
	@{ echo '#include "paper/report/page_css.h"'; echo 'const char meta_page_css[] ='; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n"/' $<; echo '    ;'; } >$@.tmp
	@mv $@.tmp $@
$(BUILD)/src/paper/report/page_css.o: $(BUILD)/src/paper/report/page_css.c $(FLAGS)
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Changed switches rebuild what they change
SETTINGS = $(CC) $(CXX) $(DCMTK) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) $(LDLIBS) $(FIND_DARKNET)
$(FLAGS): FORCE
	@mkdir -p $(@D)
	@echo '$(SETTINGS)' | cmp -s - $@ || echo '$(SETTINGS)' >$@

# ---- tests -------------------------------------------------------------------------------------

$(LIBRARY): $(filter-out $(PROGRAM_ONLY),$(OBJECTS))
	@rm -f $@
	@ar qcs $@ $^

# Found there by the tests, as beside a program
IMAGE_PARTS = $(OPENCV_PART) $(CODECS_PART) $(DICOM_PART) $(DECODER)
$(IMAGE_PARTS:%=$(BUILD)/tests/unit/%): $(BUILD)/tests/unit/%: $(BIN)/%
	@mkdir -p $(@D)
	@ln -sf '$(abspath $<)' $@

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY) $(FLAGS) | $(IMAGE_PARTS:%=$(BUILD)/tests/unit/%)
	@mkdir -p $(@D)
	$(call show,TEST,$<)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -Wno-vla $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< -Wl,--whole-archive $(LIBRARY) -Wl,--no-whole-archive -lcmocka -L$(DARKNET) $(FIND_DARKNET) -ldarknet $(LDLIBS)

# What the exported networks are read by beside Darknet: tests/cli/adapt_*.sh
$(BUILD)/tests/opencv_predict: tests/opencv_predict.cpp $(FLAGS)
	@mkdir -p $(@D)
	$(call show,CXX,$<)$(CXX) $(ALL_CPPFLAGS) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) -o $@ $< -lopencv_dnn -lopencv_imgcodecs -lopencv_core

# Preloaded, it makes allocations fail: tests/cli/memory.sh, make faults
$(BUILD)/tests/fail_memory.so: tests/faults/fail_memory.c
	@mkdir -p $(@D)
	$(call show,CC,$<)$(CC) -O1 -Wall -fPIC -shared -o $@ $<

# Run by mpirun: tests/cli/ranks.sh
$(BUILD)/tests/ranks: tests/mpi/ranks.c $(LIBRARY) $(FLAGS) $(MPI_PART:%=$(BIN)/%)
	@mkdir -p $(@D)
	@ln -sf '$(abspath $(BIN)/libdarknet-meta-mpi.so)' $(@D)
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBRARY) -ldl -lm

# What the program reads of images, beside other readers: tests/cli/image_formats.sh and image_dicom.sh
$(BUILD)/tests/image_values: tests/image_values.c $(LIBRARY) $(FLAGS) | $(IMAGE_PARTS:%=$(BUILD)/tests/%)
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBRARY) $(LDLIBS)
$(IMAGE_PARTS:%=$(BUILD)/tests/%): $(BUILD)/tests/%: $(BIN)/%
	@mkdir -p $(@D)
	@ln -sf '$(abspath $<)' $@

# Preloaded, it keeps what ranks send: tests/cli/federated.sh
$(BUILD)/tests/record_mpi.so: tests/mpi/record.c
	@mkdir -p $(@D)
	$(call show,CC,$<)$(CC) -O1 -Wall -fPIC -shared $(MPI_CFLAGS) -o $@ $< $(shell pkg-config --libs mpi-c 2>/dev/null)

OF_RANKS = $(BUILD)/tests/ranks $(if $(MPI_PART),$(BUILD)/tests/record_mpi.so)
VALUES = $(BUILD)/tests/image_values
READER = $(BUILD)/tests/opencv_predict
FAULTS = $(BUILD)/tests/fail_memory.so
# those that NAMES names, or all
unit: $(if $(NAMES),$(filter $(NAMES:%=$(BUILD)/tests/unit/%),$(TESTS)) $(if $(filter adapt_pipelines adapt_readers export_onnx scripts_clients,$(NAMES)),$(READER)) $(if $(filter memory,$(NAMES)),$(FAULTS)) $(if $(filter ranks ranks_end ranks_network federated,$(NAMES)),$(OF_RANKS)) $(if $(filter image_formats image_dicom image_frames,$(NAMES)),$(VALUES)),$(TESTS) $(READER) $(FAULTS) $(OF_RANKS) $(VALUES)) ## the unit tests, not run

test: ## every test, or those of NAMES
	@scripts/install-deps.sh --test
	@+$(MAKE) --no-print-directory all unit
	@BUILD='$(BUILD)' BIN='$(BIN)' TEST_VARIANT='$(VARIANT)' tests/run.sh $(NAMES)

# make test NAMES="test_pool scripts_isic2018": those alone
asan:     SANITIZE = -fsanitize=address -fno-omit-frame-pointer
ubsan:    SANITIZE = -fsanitize=undefined -fno-sanitize-recover=all
tsan:     SANITIZE = -fsanitize=thread
valgrind: SANITIZE =
# One libFuzzer program a parser, and the images that some begin from; SECONDS for each
SECONDS ?= 60
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZING = -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer
$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(LIBRARY) $(FLAGS) | $(IMAGE_PARTS:%=$(BUILD)/fuzz/%)
	@mkdir -p $(@D)
	$(call show,FUZZER,$<)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZED) -Wl,--whole-archive $(LIBRARY) -Wl,--no-whole-archive $(LDLIBS)
$(BUILD)/fuzz/fuzz_codec: $(CODEC_SOURCES:%.c=$(BUILD)/%.o)
$(BUILD)/fuzz/fuzz_codec: FUZZED = $(CODEC_SOURCES:%.c=$(BUILD)/%.o) $(CODECS_LIBS)
$(IMAGE_PARTS:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BIN)/%
	@mkdir -p $(@D)
	@ln -sf '$(abspath $<)' $@
$(BUILD)/fuzz/seed_images: tests/fuzz/seed_images.c $(FLAGS)
	@mkdir -p $(@D)
	$(call show,CC,$<)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -ljpeg -lz
fuzzers: all $(FUZZERS) $(BUILD)/fuzz/seed_images

fuzz: ## random files against the parsers, under sanitizers: SECONDS=60 NAMES="cfg data"
	@scripts/install-deps.sh --fuzz
	@+$(MAKE) --no-print-directory fuzzers CC=clang CXX=clang++ BUILD=build/fuzz BIN=build/fuzz/bin OPTIMISE=-O1 \
		SANITIZE='$(FUZZING) -fsanitize=fuzzer-no-link' CXXFLAGS=-fno-sanitize=vptr,function
	@BUILD=build/fuzz BIN=build/fuzz/bin tests/fuzz/run.sh $(SECONDS) $(NAMES)

SWEEP ?=
faults: all $(FAULTS) ## allocations and system calls fail, each in turn, hours: SWEEP="--verbs train --every 10"
	@BUILD='$(BUILD)' DARKNET_BIN='$(abspath $(BIN)/darknet)' tests/faults/sweep.py $(SWEEP)

KILLS ?=
kills: all ## runs are killed at random moments and gone on with, ten minutes: KILLS="--kills 50 --seed 7"
	@DARKNET_BIN='$(abspath $(BIN)/darknet)' tests/faults/kills.py $(KILLS)

RANKS ?=
ranks: all ## trainings of several ranks are broken at random moments and gone on with, twenty minutes: RANKS="--moments 5 --kinds stop"
	@DARKNET_BIN='$(abspath $(BIN)/darknet)' tests/faults/ranks.py $(RANKS)

asan ubsan tsan valgrind: ## the tests under a sanitizer or Memcheck
	@+$(MAKE) --no-print-directory test VARIANT=$@ BUILD=build/$@ BIN=build/$@/bin OPTIMISE=-O1 SANITIZE='$(SANITIZE)'

demo: ## install the packages, build, train and test on Fashion-MNIST: three minutes
	@scripts/install-deps.sh
	@+$(MAKE) --no-print-directory all
	@DARKNET_BIN='$(BIN)/darknet' scripts/demo.sh

# make bench BENCH="cfg/fashion.cfg -rounds 3 -seconds 1"
bench: ## speed and memory beside the stock library and PyTorch: ten minutes
	@scripts/install-deps.sh --pytorch
	@+$(MAKE) --no-print-directory all
	@DARKNET_BIN='$(BIN)/darknet' scripts/bench.py -out build/bench $(BENCH)

# ---- habits ------------------------------------------------------------------------------------

# What has adopted .clang-format: plugins/plugin.h keeps the layout that authors of plugins know
format_files = $(shell find src plugins/*/ -name '*.[ch]' -o -name '*.cpp' -o -name '*.hpp')
format: ## lay the source out by .clang-format
	@clang-format -i $(format_files)
format-check: ## say where it isn't
	@clang-format --dry-run --Werror $(format_files)

# What clangd, clang-tidy and other tools read: the command of every source
json_entry = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(2) -c $(1)"}
compile_commands.json: $(FLAGS) FORCE ## for clangd and other tools
	$(file >$@,[)
	$(foreach f,$(SOURCES),$(file >>$@,$(call json_entry,$(f),$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)),))
	$(foreach f,$(if $(MPI_PART),$(MPI_SOURCES)),$(file >>$@,$(call json_entry,$(f),$(CC) $(ALL_CPPFLAGS) $(MPI_CFLAGS) $(ALL_CFLAGS)),))
	$(foreach f,$(CODEC_SOURCES) src/images/image_decoder_main.c,$(file >>$@,$(call json_entry,$(f),$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)),))
	$(foreach f,$(wildcard tests/unit/*.c),$(file >>$@,$(call json_entry,$(f),$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS)),))
	$(foreach f,$(wildcard plugins/*/*.c),$(file >>$@,$(call json_entry,$(f),$(CC) $(ALL_CFLAGS) -Iplugins),))
	$(foreach f,$(filter-out $(if $(ONNX_PART),,%_onnx.cpp) $(if $(DICOM_PART),,%_dicom.cpp),$(CXX_SOURCES)),$(file >>$@,$(call json_entry,$(f),$(CXX) $(ALL_CPPFLAGS) $(if $(filter %_onnx.cpp,$(f)),$(ONNX_FLAGS)) $(ALL_CXXFLAGS)),))
	$(foreach f,$(FUSED:%=%.c),$(file >>$@,$(call json_entry,$(f),$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(FLAGS_avx2) -DISA=avx2),))
	$(call show,JSON,$@)sed -i '$$s/,$$//' $@; echo ']' >>$@

# cppcheck and clang-tidy; what each leaves out, and why, is in tests/lint/
lint: compile_commands.json ## cppcheck and clang-tidy
	@tests/lint/run.sh

# What data/results/README.md says, from the results beside it
results: all ## write the pages of data/results, federated, study and version 1.0 from the JSON files beside them
	@DARKNET_BIN='$(BIN)/darknet' scripts/results.sh
	@DARKNET_BIN='$(BIN)/darknet' scripts/results.sh data/results/federated
	@DARKNET_BIN='$(BIN)/darknet' scripts/results.sh data/results/study
	@DARKNET_BIN='$(BIN)/darknet' scripts/results.sh data/results/version-1.0

help: ## this text
	@awk -F ' *## ' '/^## / { switches = switches "    " substr($$0, 4) "\n" } \
		/^[a-z][a-z_. -]*:.* ## / { sub(/:.*/, "", $$1); printf "    make %-26s %s\n", $$1, $$2 } \
		END { printf "\nSwitches:\n%s", switches }' Makefile

# ---- installing ------------------------------------------------------------------------------------

# A folder and what goes there. Plugins are found from the program, and from the library, by where these lie: a tree may be moved as a whole
INTO    = $(DESTDIR)$(PREFIX)
PRIVATE = lib/darknet-meta
CFGS    = $(wildcard cfg/*.cfg cfg/*/*.cfg)
# What is there to copy, networks to begin with, and the scripts that make lists of data sets
SHARED  = plugins/template/template.c plugins/template/Makefile $(wildcard $(addprefix data/weights/*.,cfg weights temperature rates md)) data/isic2018.md5 $(addprefix scripts/,get_isic2018.sh isic2018.sh dermofit.sh lists.sh held_out.awk)
# Where Debian's Python looks, in /usr and in /usr/local; with another PREFIX it is told by PYTHONPATH
PYTHON  = lib/$(if $(filter /usr,$(PREFIX)),python3,$(or $(shell /usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])' 2>/dev/null),python3))/dist-packages
INSTALLED = bin/darknet lib/$(SONAME) lib/libdarknet-meta.so lib/pkgconfig/darknet-meta.pc include/darknet_meta.h include/darknet-meta/plugin.h \
            $(IMAGE_PARTS:%=$(PRIVATE)/%) $(MPI_PART:%=$(PRIVATE)/%) $(ONNX_PART:%=$(PRIVATE)/%) $(PRIVATE)/libdarknet-meta-host.so $(PLUGINS:%=$(PRIVATE)/plugins/%.so) share/man/man1/darknet-meta.1 \
            share/man/man3/libdarknet-meta.3 share/bash-completion/completions/darknet $(CFGS:%=share/darknet-meta/%) \
            share/darknet-meta/example.c $(PYTHON)/darknet_meta.py $(SHARED:%=share/darknet-meta/%)

# By the list that an earlier install left, which may have had other packages, plugins or another Python; every line of it is a path of
# INSTALLED. One that stays would be loaded beside the new program.
define REMOVE_INSTALLED
if [ -f '$(INTO)/$(PRIVATE)/installed' ]; then while read -r file; do rm -f '$(INTO)'/"$$file"; done <'$(INTO)/$(PRIVATE)/installed'; rm -f '$(INTO)/$(PRIVATE)/installed'; fi
endef

# Not over another darknet, such as the package's own in /usr: ours hands it every command but meta
install: all ## program, plugins, libraries, manual pages, completion and .cfg files
	@if [ -e '$(INTO)/bin/darknet' ] && ! grep -q 'darknet meta VERB' '$(INTO)/bin/darknet'; then \
		echo '$(INTO)/bin/darknet: is another darknet, which ours needs: choose another PREFIX' >&2; exit 1; fi
	@$(REMOVE_INSTALLED)
	install -d $(patsubst %,'$(INTO)'/%,$(sort $(dir $(INSTALLED))))
	@printf '%s\n' $(INSTALLED) >'$(INTO)/$(PRIVATE)/installed'
	install $(BIN)/darknet '$(INTO)/bin'
	install -m 644 $(BIN)/$(SONAME) '$(INTO)/lib'
	ln -sf $(SONAME) '$(INTO)/lib/libdarknet-meta.so'
	install $(BIN)/$(DECODER) '$(INTO)/$(PRIVATE)'
	install -m 644 $(filter %.so,$(IMAGE_PARTS:%=$(BIN)/%)) $(MPI_PART:%=$(BIN)/%) $(ONNX_PART:%=$(BIN)/%) $(BIN)/libdarknet-meta-host.so '$(INTO)/$(PRIVATE)'
	install -m 644 $(PLUGINS:%=$(BIN)/plugins/%.so) '$(INTO)/$(PRIVATE)/plugins'
	install -m 644 src/adaptation/darknet_meta.h '$(INTO)/include'
	install -m 644 plugins/plugin.h '$(INTO)/include/darknet-meta'
	sed 's/@VERSION@/$(VERSION)/' data/darknet-meta.pc.in >'$(INTO)/lib/pkgconfig/darknet-meta.pc'
	install -m 644 data/darknet-meta.1 '$(INTO)/share/man/man1'
	install -m 644 data/libdarknet-meta.3 '$(INTO)/share/man/man3'
	install -m 644 data/darknet.bash-completion '$(INTO)/share/bash-completion/completions/darknet'
	install -m 644 scripts/example.c '$(INTO)/share/darknet-meta'
	install -m 644 scripts/darknet_meta.py '$(INTO)/$(PYTHON)'
	$(foreach c,$(SHARED),install -m $(if $(filter %.sh,$(c)),755,644) $(c) '$(INTO)/share/darknet-meta/$(c)' &&) true
	$(foreach c,$(CFGS),install -m 644 $(c) '$(INTO)/share/darknet-meta/$(c)' &&) true

# What install wrote, and of its own folders those that are empty then
uninstall: ## remove what install wrote
	@if [ -e '$(INTO)/bin/darknet' ] && ! grep -q 'darknet meta VERB' '$(INTO)/bin/darknet'; then \
		echo '$(INTO)/bin/darknet: is another darknet: nothing was removed' >&2; exit 1; fi
	@$(REMOVE_INSTALLED)
	rm -f $(INSTALLED:%='$(INTO)'/%) '$(INTO)/$(PYTHON)/__pycache__'/darknet_meta.*.pyc
	@rmdir '$(INTO)/$(PYTHON)/__pycache__' 2>/dev/null || true
	@find '$(INTO)/$(PRIVATE)' '$(INTO)/include/darknet-meta' '$(INTO)/share/darknet-meta' -depth -type d -empty -delete 2>/dev/null || true

clean: ## remove what was built
	rm -rf build compile_commands.json darknet darknet-meta-decoder libdarknet-meta*.so* plugins/*.so

.PHONY: all unit test faults kills ranks fuzzers fuzz asan ubsan tsan valgrind demo bench results help format format-check lint install uninstall clean no-dicom FORCE

-include $(OBJECTS:.o=.d) $(OPENCV_OBJECTS:.o=.d) $(MPI_OBJECTS:.o=.d) $(DECODER_OBJECTS:.o=.d) $(CODECS_OBJECTS:.o=.d) $(DICOM_OBJECTS:.o=.d) $(ONNX_OBJECTS:.o=.d) $(TESTS:=.d)
