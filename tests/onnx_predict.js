// What programs of npm make of files of ONNX: node onnx_predict.js CLIENT MODULES, where CLIENT is onnxruntime or opencv and MODULES the
// node_modules folder that onnxruntime-node or @techstark/opencv-js is in. Reads lines "NAME.onnx FLOATS N C H W" from standard input: N
// images in a file of 32-bit numbers. Answers each by one line: the probabilities of the images predicted together, then one by one; or the
// line of its exception, behind "error: ". The first line is the client's version.
'use strict';
const fs = require('fs'), path = require('path'), readline = require('readline');
const [client, modules] = process.argv.slice(2);
const find = (name) => require(path.resolve(modules, name));
const version = (name) => JSON.parse(fs.readFileSync(path.resolve(modules, name, 'package.json'))).version;

function read(file, count) {
    const bytes = fs.readFileSync(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 4 * count));
}

// Each batch of the images: all, then one by one.
function* batches(images, [n, c, h, w]) {
    const size = c * h * w;
    yield [images, [n, c, h, w]];
    for (let i = 0; i < n; i++) yield [images.slice(i * size, (i + 1) * size), [1, c, h, w]];
}

async function onnxruntime() {
    const ort = find('onnxruntime-node');
    console.log(version('onnxruntime-node'));
    return async (model, images, shape) => {
        const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 }), answers = [];
        for (const [data, dims] of batches(images, shape))
            answers.push(...(await session.run({ data: new ort.Tensor('float32', data, dims) })).probabilities.data);
        await session.release();
        return answers;
    };
}

// Its bindings make no array of four dimensions but of an image, so that images are predicted one by one.
async function opencv() {
    let cv = find('@techstark/opencv-js');
    if (cv instanceof Promise) cv = await cv;
    else if (!cv.Mat) await new Promise((done) => { cv.onRuntimeInitialized = done; });
    console.log(version('@techstark/opencv-js'));
    const one = (net, planes, [, c, h, w]) => {
        const image = new cv.Mat(h, w, c === 1 ? cv.CV_32FC1 : cv.CV_32FC3);
        planes.forEach((value, i) => { image.data32F[i % (h * w) * c + Math.floor(i / (h * w))] = value; });
        const blob = cv.blobFromImage(image, 1, new cv.Size(w, h), new cv.Scalar(), false, false, cv.CV_32F);
        net.setInput(blob);
        const p = net.forward(), answer = [...p.data32F];
        for (const m of [image, blob, p]) m.delete();
        return answer;
    };
    return async (model, images, shape) => {
        const answers = [];
        cv.FS_createDataFile('/', 'model.onnx', fs.readFileSync(model), true, false, false);
        try {
            const net = cv.readNetFromONNX('/model.onnx');
            for (const [data, dims] of batches(images, shape))
                if (dims[0] === 1) answers.push(...one(net, data, dims));
            net.delete();
        } catch (e) {
            throw typeof e === 'number' ? new Error(cv.exceptionFromPtr(e).msg) : e;
        } finally {
            cv.FS_unlink('/model.onnx');
        }
        return answers;
    };
}

async function main() {
    const predict = await (client === 'opencv' ? opencv() : onnxruntime());
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [model, floats, ...shape] = line.split(' '), dims = shape.map(Number);
        try {
            console.log((await predict(model, read(floats, dims.reduce((a, b) => a * b)), dims)).join(' '));
        } catch (e) {
            console.log('error: ' + String(e.message || e).replace(/\s+/g, ' '));
        }
    }
}

main();
