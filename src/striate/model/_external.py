"""Does an ONNX file point to other files? Answered from its bytes, before anything opens it.

ONNX lets a tensor live in another file, at a path that the network names. Whoever hands out such a
network chooses which of our files is read, so networks that do this are refused. The onnx package
isn't part of an installation that only predicts; this reads as much of the protobuf wire format
(https://protobuf.dev/programming-guides/encoding) as the question needs.
"""

from collections.abc import Iterator

# Message → number of a field → the message in it; numbers from onnx.proto3 (IR version 13).
_INSIDE = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 64


def points_elsewhere(network: bytes) -> bool:
    """Return True where a tensor of the ONNX file lies in another file.

    Raises ValueError where the bytes are no protobuf message, or one nested deeper than 64.
    """
    return _points(memoryview(network), "Model", _DEEPEST)


def _points(data: memoryview, message: str, levels: int) -> bool:
    if levels == 0:
        raise ValueError("nested too deep")
    for number, content in _fields(data):
        if message == "Tensor" and number in (_EXTERNAL_DATA, _DATA_LOCATION):
            # The one harmless form is what exporters may write: data_location = DEFAULT (0).
            if content != 0:
                return True
        elif (inner := _INSIDE[message].get(number)) is not None:
            if isinstance(content, int):
                raise ValueError(f"field {number} of {message} should be a message")
            if _points(content, inner, levels - 1):
                return True
    return False


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield (number, content) of each field: bytes of messages and text, the value of varints."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if position + length > len(data):
            raise ValueError("cut short")
        yield number, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return (value, position after it) of the varint at `position`."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of over ten bytes")
