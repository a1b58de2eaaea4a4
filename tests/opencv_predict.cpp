// What OpenCV's DNN module makes of a .cfg and .weights: opencv_predict CFG WEIGHTS CHANNELS IMAGE... prints a line an image, each class's
// probability. Images must have the network's size. Without words it reads such lines from standard input, and answers each by one line, or by
// the one of its exception, behind "error: ". A line "NAME.onnx FLOATS N C H W" is a file of ONNX and N images in a file of 32-bit numbers:
// first they are predicted together, then one by one.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>

static void predict(const std::vector<std::string> &words, const char *end)
{
    const int gray = std::atoi(words.at(2).c_str()) == 1;
    cv::dnn::Net net = cv::dnn::readNetFromDarknet(words[0], words[1]);
    for (size_t i = 3; i < words.size(); i++) {
        const cv::Mat image = cv::imread(words[i], gray ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR);
        net.setInput(cv::dnn::blobFromImage(image, 1 / 255., cv::Size(), cv::Scalar(), !gray));
        const cv::Mat p = net.forward().reshape(1, 1);
        for (int k = 0; k < p.cols; k++) std::printf("%s%.7f", k ? " " : "", p.at<float>(k));
        std::printf("%s", end);
    }
}

static void predict_onnx(const std::vector<std::string> &words)
{
    int shape[4];
    for (int i = 0; i < 4; i++) shape[i] = std::stoi(words.at(2 + i));
    cv::Mat images(4, shape, CV_32F);
    std::ifstream file(words.at(1), std::ios::binary);
    if (!file.read(reinterpret_cast<char *>(images.data), static_cast<std::streamsize>(images.total() * images.elemSize())))
        throw std::runtime_error(words[1] + ": too short");
    cv::dnn::Net net = cv::dnn::readNetFromONNX(words[0]);
    const int n = shape[0];
    shape[0] = 1;
    for (int i = -1; i < n; i++) {
        net.setInput(i < 0 ? images : cv::Mat(4, shape, CV_32F, images.ptr<float>(i)));
        const cv::Mat p = net.forward();
        for (size_t k = 0; k < p.total(); k++) std::printf("%.9g ", p.ptr<float>()[k]);
    }
}

static void answer(const std::string &line)
{
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    try {
        const std::string &name = words.at(0);
        if (name.size() > 5 && name.compare(name.size() - 5, 5, ".onnx") == 0) predict_onnx(words);
        else predict(words, " ");
    } catch (const std::exception &e) {
        std::string text = e.what();
        for (char &c : text)
            if (c == '\n') c = ' ';
        std::printf("error: %s", text.c_str());
    }
    std::printf("\n");
    std::fflush(stdout);
}

int main(int argc, char **argv)
try {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    if (argc > 1) predict(std::vector<std::string>(argv + 1, argv + argc), "\n");
    else
        for (std::string line; std::getline(std::cin, line);) answer(line);
    return 0;
} catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
