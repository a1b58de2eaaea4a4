# make              ./darknet, the preloadable host and plugins/*.so
# make DEBUG=1      with -O0 -g                          make test     every test
# make DARKNET=DIR  against a Darknet checkout           make demo     install, build, train and test on Fashion-MNIST
# make asan ubsan tsan valgrind: the tests under each    make clean
DEBUG   ?= 0
DARKNET ?= /usr/lib/darknet
CC      ?= gcc
CXX     ?= g++
BUILD   ?= build/release
BIN     ?= .

OPTIMISE = -O2
ifeq ($(DEBUG),1)
OPTIMISE = -O0 -g
endif
WARN     = -Wall -Wextra -Wshadow -Wno-unused-parameter -Werror=implicit-function-declaration
SANITIZE ?=
CFLAGS   += -std=gnu11 $(OPTIMISE) -g $(WARN) -fPIC -fvisibility=hidden -pthread -fno-math-errno $(SANITIZE)
CXXFLAGS += -std=c++17 $(OPTIMISE) -g -Wall -Wextra -fPIC -fvisibility=hidden -pthread $(SANITIZE)
CPPFLAGS += -Isrc -I$(DARKNET)/include $(shell pkg-config --cflags opencv4 libcjson)
LDFLAGS  += -pthread $(SANITIZE)
LDLIBS   += -L$(DARKNET) -Wl,-rpath,$(abspath $(DARKNET)) -ldarknet \
            -lopencv_imgcodecs -lopencv_imgproc -lopencv_core -ldnnl -lcjson -lz -lgomp -lstdc++ -ldl -lm

# fused_kernels.c is compiled once an instruction set and chosen at run time
ISAS      = base avx2 avx512
FLAGS_base   =
FLAGS_avx2   = -mavx2 -mfma
FLAGS_avx512 = -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512

SOURCES = $(filter-out src/fused_kernels.c src/host_preload.c,$(wildcard src/*.c))
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o) $(patsubst %.cpp,$(BUILD)/%.o,$(wildcard src/*.cpp)) \
          $(ISAS:%=$(BUILD)/src/fused_kernels_%.o)
LIBRARY = $(filter-out $(BUILD)/src/main.o,$(OBJECTS))
PLUGINS = $(patsubst plugins/%/,$(BIN)/plugins/%.so,$(filter-out plugins/template/,$(sort $(dir $(wildcard plugins/*/*.c)))))

all: $(BIN)/darknet $(BIN)/libdarknet-meta-host.so $(PLUGINS)

$(BIN)/darknet: $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# What LD_PRELOAD loads into another program that uses libdarknet: the parser alone
HOST_OBJECTS = $(addprefix $(BUILD)/src/,$(HOST_NAMES:%=%.o))
$(BIN)/libdarknet-meta-host.so: $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) -shared $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BIN)/plugins/%.so: plugins/%/*.c plugins/plugin.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -shared $(LDFLAGS) -o $@ $(filter %.c,$(wildcard plugins/$*/*.c)) -lm

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/src/fused_kernels_%.o: src/fused_kernels.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -O3 -fno-trapping-math $(FLAGS_$*) -DISA=$* -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

clean:
	rm -rf build darknet libdarknet-meta-host.so plugins/*.so

.PHONY: all clean
