// What OpenCV's DNN module makes of a .cfg and .weights: opencv_predict CFG WEIGHTS CHANNELS IMAGE... prints a line an image, each class's
// probability. Images must have the network's size.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>

int main(int argc, char **argv)
try {
    const int gray = std::atoi(argv[3]) == 1;
    cv::dnn::Net net = cv::dnn::readNetFromDarknet(argv[1], argv[2]);
    for (int i = 4; i < argc; i++) {
        const cv::Mat image = cv::imread(argv[i], gray ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR);
        net.setInput(cv::dnn::blobFromImage(image, 1 / 255., cv::Size(), cv::Scalar(), !gray));
        const cv::Mat p = net.forward().reshape(1, 1);
        for (int k = 0; k < p.cols; k++) std::printf("%s%.7f", k ? " " : "", p.at<float>(k));
        std::printf("\n");
    }
    return 0;
} catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
