"""The smallest ONNX models there can be, written by hand: one 1 x 1 convolution."""

import numpy as np

_FLOAT, _OPSET, _VERSION = 1, 13, 8


def _varint(value):
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, content):
    content = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _tensor(name, values):
    sizes = b"".join(_number(1, size) for size in values.shape)
    return sizes + _number(2, _FLOAT) + _bytes(8, name) + _bytes(9, values.astype("<f4").tobytes())


def _value(name, bands):
    sides = (_number(1, 1), _number(1, bands), _bytes(2, "row"), _bytes(2, "col"))
    shape = b"".join(_bytes(1, side) for side in sides)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, shape)))


def write_convolution(path, weights, *, inputs=("picture",)):
    """Write a model that weighs the bands of its input(s), stacked, pixel by pixel.

    ``weights`` is (map, band); with two inputs the bands are first concatenated.
    """
    weights = np.asarray(weights, np.float32)
    count, bands = weights.shape
    nodes, last = [], inputs[0]
    if len(inputs) == 2:
        axis = _bytes(1, "axis") + _number(3, 1) + _number(20, 2)
        names = b"".join(_bytes(1, name) for name in inputs)
        nodes.append(names + _bytes(2, "both") + _bytes(4, "Concat") + _bytes(5, axis))
        last = "both"
    nodes.append(_bytes(1, last) + _bytes(1, "weights") + _bytes(2, "maps") + _bytes(4, "Conv"))
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "graph")
    graph += _bytes(5, _tensor("weights", weights[..., None, None]))
    graph += b"".join(_bytes(11, _value(name, bands // len(inputs))) for name in inputs)
    graph += _bytes(12, _value("maps", count))
    opset = _bytes(8, _bytes(1, "") + _number(2, _OPSET))
    path.write_bytes(_number(1, _VERSION) + opset + _bytes(7, graph))
    return path
