// What ncnn makes of its own files: reads lines "NAME.param NAME.bin FLOATS N C H W" from standard input, N images in a file of 32-bit numbers,
// and answers each by one line: the probabilities of one image after another, or why there are none, behind "error: ".
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>
#include <ncnn/net.h>

static void predict(const std::string &line)
{
    std::string param, bin, floats;
    size_t n, c, h, w;
    if (!(std::istringstream(line) >> param >> bin >> floats >> n >> c >> h >> w)) throw std::runtime_error("no question");
    ncnn::Net net;
    net.opt.num_threads = 1;
    net.opt.use_packing_layout = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = false;
    if (net.load_param(param.c_str()) || net.load_model(bin.c_str())) throw std::runtime_error("its files can't be loaded");
    if (net.input_names().empty() || net.output_names().empty()) throw std::runtime_error("no input or no output");
    std::vector<float> images(n * c * h * w);
    std::ifstream file(floats, std::ios::binary);
    if (!file.read(reinterpret_cast<char *>(images.data()), static_cast<std::streamsize>(images.size() * sizeof(float))))
        throw std::runtime_error("too few images");
    std::ostringstream answer;
    answer.precision(9);
    for (size_t i = 0; i < n; i++) {
        ncnn::Mat image(static_cast<int>(w), static_cast<int>(h), static_cast<int>(c)), p;
        for (size_t k = 0; k < c; k++) std::memcpy(image.channel(static_cast<int>(k)), &images[(i * c + k) * h * w], h * w * sizeof(float));
        ncnn::Extractor extractor = net.create_extractor();
        if (extractor.input(net.input_names()[0], image) || extractor.extract(net.output_names()[0], p) || p.empty())
            throw std::runtime_error("no answer");
        for (int k = 0; k < p.c; k++)
            for (int j = 0; j < p.d * p.h * p.w; j++) answer << static_cast<const float *>(p.channel(k))[j] << ' ';
    }
    std::puts(answer.str().c_str());
}

int main()
{
    for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
        try {
            predict(line);
        } catch (const std::exception &e) {
            std::printf("error: %s\n", e.what());
        }
    }
    return 0;
}
