"""Converts the model of MediaPipe's selfie segmentation for onair.

usage: convert-background.py selfie_segmentation_landscape.tflite background.bin   (needs tflite and numpy)

The model is in the npm package @mediapipe/selfie_segmentation (Apache-2.0). It is written for TensorFlow Lite, with weights
in half precision and an operator of MediaPipe's own, which other programs do not read. Its operators are few, so onair has
its own ones, in compose/filter/background/network. The result is the list of operators in order, with their weights. Each
operator's output is the next tensor; tensor 0 is the input.
"""
import struct
import sys

import numpy as np
import tflite

OPS = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
CONV, DEPTHWISE, RELU, HARD_SWISH, SIGMOID, ADD, MUL, MEAN, RESIZE, ENLARGE = range(10)

model = tflite.Model.GetRootAs(open(sys.argv[1], "rb").read(), 0)
graph = model.Subgraphs(0)
weights, place, out = {}, {int(graph.Inputs(0)): 0}, []


def options(op, kind):
    made, table = kind(), op.BuiltinOptions()
    made.Init(table.Bytes, table.Pos)
    return made


def shape(t):
    return [int(side) for side in graph.Tensors(t).ShapeAsNumpy()]


def constant(t):
    tensor = graph.Tensors(t)
    kind = {0: np.float32, 1: np.float16, 2: np.int32}[tensor.Type()]
    return np.frombuffer(model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes(), kind).reshape(shape(t))


def add(kind, inputs, rest=b"", arrays=()):
    first, second = (list(inputs) + [0])[:2]
    data = b"".join(np.ascontiguousarray(array, "<f2").tobytes() for array in arrays)
    out.append(struct.pack("<BBB", kind, first, second) + rest + data)
    return len(out)


for index in range(graph.OperatorsLength()):
    op = graph.Operators(index)
    code = model.OperatorCodes(op.OpcodeIndex())
    kind = OPS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    inputs, to = [int(it) for it in op.InputsAsNumpy()], int(op.OutputsAsNumpy()[0])
    if kind == "DEQUANTIZE":
        weights[to] = constant(inputs[0])
        continue
    activation = 0
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        deep = kind != "CONV_2D"
        it = options(op, tflite.DepthwiseConv2DOptions if deep else tflite.Conv2DOptions)
        weight, bias = weights[inputs[1]], weights[inputs[2]]
        assert it.StrideH() == it.StrideW() and weight.shape[1] == weight.shape[2]
        assert it.Padding() == 0 or weight.shape[1] == 1
        activation, (cout, kernel, _, cin) = it.FusedActivationFunction(), weight.shape
        if deep:
            cout = cin
            weight = weight[0].reshape(kernel * kernel, cin)
        else:
            weight = weight.transpose(1, 2, 3, 0).reshape(kernel * kernel, cin, cout)
        rest = struct.pack("<BBHH", kernel, it.StrideH(), cin, cout)
        found = add(DEPTHWISE if deep else CONV, [place[inputs[0]]], rest, [weight, bias])
    elif kind in ("ADD", "MUL"):
        it = options(op, tflite.AddOptions if kind == "ADD" else tflite.MulOptions)
        activation = it.FusedActivationFunction()
        found = add(ADD if kind == "ADD" else MUL, [place[it] for it in inputs])
    elif kind == "MEAN":
        assert sorted(constant(inputs[1]).tolist()) == [1, 2]
        found = add(MEAN, [place[inputs[0]]])
    elif kind == "RESIZE_BILINEAR":
        it = options(op, tflite.ResizeBilinearOptions)
        assert it.HalfPixelCenters() and not it.AlignCorners()
        assert shape(to)[1:3] == [2 * side for side in shape(inputs[0])[1:3]]
        found = add(RESIZE, [place[inputs[0]]])
    elif kind == "CUSTOM" and code.CustomCode() == b"Convolution2DTransposeBias":
        weight, bias = weights[inputs[1]], weights[inputs[2]]
        # A kernel as large as the step: nothing overlaps.
        assert weight.shape[:3] == (1, 2, 2), weight.shape
        rest = struct.pack("<H", weight.shape[3])
        found = add(ENLARGE, [place[inputs[0]]], rest, [weight[0].reshape(4, -1), bias])
    else:
        simple = {"RELU": RELU, "LOGISTIC": SIGMOID, "HARD_SWISH": HARD_SWISH}[kind]
        found = add(simple, [place[inputs[0]]])
    if activation:
        assert activation == 1, activation
        found = add(RELU, [found])
    place[to] = found

assert place[int(graph.Outputs(0))] == len(out) < 256
_, height, width, _ = shape(int(graph.Inputs(0)))
head = b"onairbg1" + struct.pack("<HHB", width, height, len(out))
open(sys.argv[2], "wb").write(head + b"".join(out))
