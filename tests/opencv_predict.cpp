// What OpenCV's DNN module makes of a .cfg and .weights: opencv_predict CFG WEIGHTS CHANNELS IMAGE... prints a line an image, each class's
// probability. Images must have the network's size. Without words it reads such lines from standard input, and answers each by one line, or by
// the one of its exception, behind "error: ".
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
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

static void answer(const std::string &line)
{
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    try {
        predict(words, " ");
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
